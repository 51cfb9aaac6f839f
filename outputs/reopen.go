// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"context"
	"os"
	"os/signal"
	"sync"
)

// ReopenOn opens the outputs anew whenever the process gets the signal, until the function that it returns is called.
func (q *Queue) ReopenOn(ctx context.Context, sig os.Signal) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, sig)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-signals:
				q.Reopen()
			case <-ctx.Done():
				signal.Stop(signals)
				return
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}
