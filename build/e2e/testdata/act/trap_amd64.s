// SPDX-License-Identifier: Apache-2.0

#include "textflag.h"

// func trap(nr, a, b, c uintptr) (ret int32)
TEXT ·trap(SB), NOSPLIT, $0-36
	MOVQ nr+0(FP), AX
	MOVQ a+8(FP), BX
	MOVQ b+16(FP), CX
	MOVQ c+24(FP), DX
	XORL SI, SI
	XORL DI, DI
	INT  $0x80
	MOVL AX, ret+32(FP)
	RET
