// SPDX-License-Identifier: Apache-2.0

package event

func signalRows() []Row {
	const s = CatSignal
	pid := func(name string, arg uint8) Param { return number(name, PID, Dec, arg, 4) }
	sig := func(arg uint8) Param { return number("sig", SigType, Dec, arg, 1) }
	return []Row{
		row("kill", s, 0, 62, []int{37}, ObjNone, nil, params{res(), pid("pid", 0), sig(1)}),
		row("tkill", s, 0, 200, []int{238}, ObjNone, nil, params{res(), pid("tid", 0), sig(1)}),
		row("tgkill", s, 0, 234, []int{270}, ObjNone, nil, params{res(), pid("pid", 0), pid("tid", 1), sig(2)}),
		// the registers are what the tracepoint has: the number in the signal's information, the thread, the signal and its code
		{Name: "signaldeliver", Category: s, Flags: Tracepoint, Params: params{
			calc("spid", PID, Dec, signalSender), pid("dpid", 1), sig(2),
		}},
	}
}

// signalSender is the process that a signal comes from, in the numbers of the one that gets it; 0 where nobody sent it, and for a
// signal that ends the process, of which the kernel keeps no sender. Which signals name a process: sigaction(2), si_code.
func signalSender(r *Record) (uint64, bool) {
	const (
		sigchld = 17
		user    = 0
		queue   = -1
		mesgq   = -3
		tkill   = -6
	)
	sender := uint64(int64(int32(r.Args[0])))
	switch code := int32(r.Args[3]); {
	case code == user, code == queue, code == mesgq, code == tkill:
		return sender, true
	case r.Args[2] == sigchld && code > 0 && code <= 6: // CLD_EXITED to CLD_CONTINUED
		return sender, true
	}
	return 0, true
}
