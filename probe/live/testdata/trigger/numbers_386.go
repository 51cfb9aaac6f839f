// SPDX-License-Identifier: Apache-2.0

package trigger

// Calls that only one of the two tables has; -1 where it is missing.
const (
	sysAccept = -1
)
