// SPDX-License-Identifier: Apache-2.0

// Package scap reads Falco's capture files as a source of records: the same records that the live probe sends, so that the engine does not
// know the difference.
//
// A capture is a sequence of blocks (read.go): lists of what was there when it began (lists.go), and events (parse.go) whose types and
// parameters are those of Falco's schema (schema.go). The beginning and the end of a call are events of their own there; they become one record
// here (source.go). What a live kernel says of descriptors and processes is not in events: tables.go follows it.
package scap
