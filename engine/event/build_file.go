// SPDX-License-Identifier: Apache-2.0

package event

// via is a number in another numbering than the kernel's.
func (p Param) via(num func(*Record, uint64) uint64) Param {
	p.view.num = num
	return p
}

// descriptor is what a call on a descriptor of any kind captures.
func descriptor(more ...Part) parts {
	return append(socket(more...), Part{Kind: PartPath, Op: OpPath}, Part{Kind: PartFSPath, Op: OpFSPath})
}
