// SPDX-License-Identifier: Apache-2.0

package event

func otherRows() []Row {
	return []Row{
		{Name: "syscall", Category: CatOther, Params: params{
			{Name: "ID", Type: SyscallID, Print: Dec, view: view{kind: viewNR, num: sharedNumber}},
			{Name: "nativeID", Type: Uint16, Print: Dec, view: view{kind: viewNR, num: sharedNumber}},
		}},
		// our own sign of life, which the loader sends through the probe and takes out again
		{Name: "heartbeat", Category: CatInternal, Flags: Internal},
	}
}
