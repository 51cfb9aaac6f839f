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

// guest returns what the container of the process names its users and groups; in is false for processes of the host.
func (c *Ctx) guest() (g *state.Guest, in bool) {
	info, in := c.container()
	if !in {
		return nil, false
	}
	p, _ := c.Process()
	return c.Host.Guests.Of(p, info.FullID), true
}

// user finds a user where the process would: in the files of its container, or of the host.
func (c *Ctx) user(uid uint32) (state.User, bool) {
	if g, in := c.guest(); in {
		return g.User(uid)
	}
	return c.Host.Users.User(uid)
}

func (c *Ctx) group(gid uint32) (string, bool) {
	if g, in := c.guest(); in {
		return g.Group(gid)
	}
	return c.Host.Users.Group(gid)
}

func account(read func(u state.User) string) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		u, ok := c.user(c.Rec.UID)
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
		{Name: "user.name", Type: event.CharBuf, Example: "user.name = root", Desc: "name of the effective user, as the container or the host names it, <NA> when it has none", Get: account(func(u state.User) string { return u.Name })},
		{Name: "user.homedir", Type: event.CharBuf, Example: "user.homedir = /root", Desc: "home directory of the effective user, as the container or the host has it, <NA> when it has none", Get: account(func(u state.User) string { return u.Home })},
		{Name: "user.shell", Type: event.CharBuf, Example: "user.shell = /bin/bash", Desc: "login shell of the effective user, as the container or the host has it, <NA> when it has none", Get: account(func(u state.User) string { return u.Shell })},
		{Name: "user.loginuid", Type: event.Int64, Example: "user.loginuid = -1", Desc: "user id of the login that the process descends from (audit), -1 without one",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(event.Int64, uint64(int64(int32(c.Rec.LoginUID)))), true }},
		{Name: "user.loginname", Type: event.CharBuf, Example: "user.loginname = '<NA>'", Desc: "name of user.loginuid, as the container or the host names it, <NA> when it has none",
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				u, ok := c.user(c.Rec.LoginUID)
				if !ok || c.Rec.LoginUID == noLogin {
					return Str(na), true
				}
				return Str(u.Name), true
			}},
	}
}
