// SPDX-License-Identifier: Apache-2.0

// Command trigger32 is the trigger program for the 32-bit system call table: built with GOARCH=386.
package main

import "falconet/probe/live/testdata/trigger"

func main() { trigger.Main() }
