// SPDX-License-Identifier: Apache-2.0

package rules

// Code says what kind of problem a file has, under Falco's names where Falco has one.
type Code string

// The codes of errors, which refuse a file.
const (
	ErrFileRead         Code = "LOAD_ERR_FILE_READ"
	ErrYAMLParse        Code = "LOAD_ERR_YAML_PARSE"
	ErrYAMLValidate     Code = "LOAD_ERR_YAML_VALIDATE"
	ErrCompileCondition Code = "LOAD_ERR_COMPILE_CONDITION"
	ErrCompileOutput    Code = "LOAD_ERR_COMPILE_OUTPUT"
	ErrValidate         Code = "LOAD_ERR_VALIDATE"
)

// The codes of warnings that Falco gives as well.
const (
	UnknownSource      Code = "LOAD_UNKNOWN_SOURCE"
	UnsafeNACheck      Code = "LOAD_UNSAFE_NA_CHECK"
	NoEventType        Code = "LOAD_NO_EVTTYPE"
	UnknownFilter      Code = "LOAD_UNKNOWN_FILTER"
	UnusedMacro        Code = "LOAD_UNUSED_MACRO"
	UnusedList         Code = "LOAD_UNUSED_LIST"
	UnknownItem        Code = "LOAD_UNKNOWN_ITEM"
	UnknownKey         Code = "LOAD_UNKNOWN_KEY"
	DeprecatedItem     Code = "LOAD_DEPRECATED_ITEM"
	AppendNoValues     Code = "LOAD_APPEND_NO_VALUES"
	ExceptionNotUnique Code = "LOAD_EXCEPTION_NAME_NOT_UNIQUE"
	InvalidMacroName   Code = "LOAD_INVALID_MACRO_NAME"
	InvalidListName    Code = "LOAD_INVALID_LIST_NAME"
	CompileCondition   Code = "LOAD_COMPILE_CONDITION"
)

// The codes of warnings that Falco does not give. Strict makes errors of them.
const (
	InvalidText  Code = "LOAD_INVALID_TEXT"  // bytes that are no text were replaced
	NotSupported Code = "LOAD_NOT_SUPPORTED" // Falco can do it, this program cannot
	NoEffect     Code = "LOAD_NO_EFFECT"     // something in the file is passed over
	Dubious      Code = "LOAD_DUBIOUS"       // it probably does not mean what its author thinks
)

var codeText = map[Code]string{
	ErrFileRead: "File cannot be read", ErrYAMLParse: "File is not YAML", ErrYAMLValidate: "File does not have the form of a rules file",
	ErrCompileCondition: "Condition does not compile", ErrCompileOutput: "Output does not compile",
	ErrValidate: "Rule, macro, list or exception is not valid",

	UnknownSource: "Source is not known", UnsafeNACheck: "Comparison with <NA> is unsafe", NoEventType: "Condition holds for too many event types",
	UnknownFilter: "Condition or output uses what is not known", UnusedMacro: "Macro is not used", UnusedList: "List is not used",
	UnknownItem: "Item is of no known kind", UnknownKey: "Key is not known", DeprecatedItem: "Item is deprecated",
	AppendNoValues: "Appended exception has no values", ExceptionNotUnique: "Exception name is used twice",
	InvalidMacroName: "Macro has an invalid name", InvalidListName: "List has an invalid name", CompileCondition: "Condition may not mean what it says",

	InvalidText: "File is not valid text", NotSupported: "Not part of this program", NoEffect: "Part of the file has no effect",
	Dubious: "Probably not what is meant",
}

// Text describes the code in a few words.
func (c Code) Text() string { return codeText[c] }

// Ours reports whether the code is that of a warning which Falco does not give.
func (c Code) Ours() bool {
	return c == InvalidText || c == NotSupported || c == NoEffect || c == Dubious
}
