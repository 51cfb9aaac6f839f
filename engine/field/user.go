// SPDX-License-Identifier: Apache-2.0

package field

import (
	"falconet/engine/event"
	"falconet/engine/state"
)

// na is what Falco writes for a user or group that has no name.
const na = "<NA>"

// noLogin is the audit login user of a process that nobody logged in for.
const noLogin = ^uint32(0)

func account(read func(u state.User) string) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		u, ok := c.Host.Users.User(c.Rec.UID)
		if !ok {
			return Str(na), true
		}
		return Str(read(u)), true
	}
}

func userFields() []Def {
	return []Def{
		{Name: "user.uid", Type: event.Uint32, Example: "user.uid = 0", Desc: "effective user id",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(event.Uint32, uint64(c.Rec.UID)), true }},
		{Name: "user.name", Type: event.CharBuf, Example: "user.name = root", Desc: "name of the effective user on the host, <NA> when it has none", Get: account(func(u state.User) string { return u.Name })},
		{Name: "user.homedir", Type: event.CharBuf, Example: "user.homedir = /root", Desc: "home directory of the effective user on the host, <NA> when it has none", Get: account(func(u state.User) string { return u.Home })},
		{Name: "user.shell", Type: event.CharBuf, Example: "user.shell = /bin/bash", Desc: "login shell of the effective user on the host, <NA> when it has none", Get: account(func(u state.User) string { return u.Shell })},
		{Name: "user.loginuid", Type: event.Int64, Example: "user.loginuid = -1", Desc: "user id of the login that the process descends from (audit), -1 without one",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(event.Int64, uint64(int64(int32(c.Rec.LoginUID)))), true }},
		{Name: "user.loginname", Type: event.CharBuf, Example: "user.loginname = '<NA>'", Desc: "name of user.loginuid on the host, <NA> when it has none",
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				u, ok := c.Host.Users.User(c.Rec.LoginUID)
				if !ok || c.Rec.LoginUID == noLogin {
					return Str(na), true
				}
				return Str(u.Name), true
			}},
	}
}
