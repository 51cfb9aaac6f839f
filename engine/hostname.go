// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"os"
)

// HostName is the name of this host, unless FALCO_HOSTNAME gives it another.
func HostName() (string, error) {
	if name := os.Getenv("FALCO_HOSTNAME"); name != "" {
		return name, nil
	}
	name, err := os.Hostname()
	if err != nil {
		err = fmt.Errorf("read host name: %w", err)
	}
	return name, err
}
