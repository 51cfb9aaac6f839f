// SPDX-License-Identifier: Apache-2.0

#include "textflag.h"

// func trap(nr uintptr, args *[6]uintptr) (ret int32)
TEXT ·trap(SB), NOSPLIT, $16-20
	MOVQ BP, saved-8(SP)
	MOVQ nr+0(FP), AX
	MOVQ args+8(FP), R8
	MOVQ 0(R8), BX
	MOVQ 8(R8), CX
	MOVQ 16(R8), DX
	MOVQ 24(R8), SI
	MOVQ 32(R8), DI
	MOVQ 40(R8), BP
	INT  $0x80
	MOVQ saved-8(SP), BP
	MOVL AX, ret+16(FP)
	RET
