// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"os"
	"strconv"
)

// WritePID writes the process's id to the file that the job names, if it names one. The function that it returns takes the file away.
func (j *Job) WritePID() (remove func(), err error) {
	if j.PIDFile == "" {
		return func() {}, nil
	}
	if err := os.WriteFile(j.PIDFile, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("write pidfile: %w", err)
	}
	return func() { _ = os.Remove(j.PIDFile) }, nil
}
