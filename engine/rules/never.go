// SPDX-License-Identifier: Apache-2.0

package rules

// warnNever warns of comparisons that are in vain in every rule that they are a part of.
func (b *builder) warnNever() {
	for _, w := range b.compiler.Never() {
		from := &b.texts[w.Pos.Src]
		from.item.file.warn(CompileCondition, w.Msg, from.item.where(), from.where(w.Pos))
	}
}
