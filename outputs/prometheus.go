// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// help stands beside the metrics that are Falco's.
const falcoHelp = "https://falco.org/docs/metrics/"

// helps say what our own metrics are.
var helps = map[string]string{
	"falconet_containers_known_total":      "Containers by where what is known of them came from.",
	"falconet_events_matched_total":        "Events that rules could match.",
	"falconet_output_alerts_dropped_total": "Alerts that found no room before the output.",
	"falconet_output_alerts_failed_total":  "Alerts that an error of the output cost.",
	"falconet_output_alerts_offered_total": "Alerts that were rendered for the output.",
	"falconet_output_alerts_retries_total": "How often the output's receiver took nothing and was tried again later.",
	"falconet_output_alerts_spooled":       "Alerts that wait on disk.",
	"falconet_output_alerts_waiting":       "Alerts that wait in memory or on disk.",
	"falconet_output_alerts_written_total": "Alerts that the output's receiver took.",
	"falconet_outputs_queue_alerts_total":  "Alerts that rules raised.",
	"falconet_outputs_queue_capacity":      "How many alerts may wait in memory before each output.",
	"falconet_probe_delivers":              "Whether a call of this program came back through the probe lately.",
	"falconet_probe_events_lost_total":     "Events that were lost, by the reason.",
	"falconet_probe_pieces_lost_total":     "Pieces of events that were lost, or cut short, by the reason.",
	"falconet_process_table_refills_total": "Processes that were looked up because their start was not seen.",
	"falconet_reload_failures_total":       "Reloads that left the configuration and the rules before in effect.",
	"falconet_reloads_total":               "Reloads of configuration and rules.",
	"falconet_table_entries":               "How much a table keeps.",
	"falconet_table_evictions_total":       "What left a table, or was not taken, for want of room.",
}

// Describe describes nothing: the labels of rules depend on their tags.
func (m *Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect gathers the numbers for Prometheus.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	for _, n := range m.collect() {
		if n.name == "" {
			continue
		}
		value := 0.0
		switch v := n.value.(type) {
		case uint64:
			value = float64(v)
		case float64:
			value = v
		}
		kind := prometheus.GaugeValue
		if n.counter {
			kind = prometheus.CounterValue
		}
		help := helps[n.name]
		if help == "" {
			help = falcoHelp
		}
		labels := prometheus.Labels{}
		for i := 0; i < len(n.labels); i += 2 {
			labels[n.labels[i]] = n.labels[i+1]
		}
		out <- constMetric(prometheus.NewDesc(n.name, help, nil, labels), kind, value)
	}
}

func constMetric(desc *prometheus.Desc, kind prometheus.ValueType, value float64) prometheus.Metric {
	metric, err := prometheus.NewConstMetric(desc, kind, value)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return metric
}

// handler serves the numbers to Prometheus.
func (m *Metrics) handler() http.Handler {
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(m)
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4})
}
