// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

type propKind uint8

const (
	boolProp propKind = iota
	intProp
	floatProp
	stringProp
	anyProp
	listProp
	objectProp
	textsProp // a map of texts with free keys
)

// prop is one key as the structure's tags describe it.
type prop struct {
	name   string
	path   string // with the names of its parents, "a.b", items as "a[]"
	kind   propKind
	doc    string
	def    string // YAML, "" for the zero value
	enum   []string
	min    float64
	max    float64
	scalar string  // listProp of objects: the key that a plain text stands for
	item   *prop   // listProp
	props  []*prop // objectProp, in the order of the structure
}

// schema reads the tags of the structure once more on every call: it is only needed at start and in tests.
func schema() *prop {
	root := &prop{kind: objectProp}
	root.addFields(reflect.TypeFor[Config]())
	return root
}

func (p *prop) addFields(t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("koanf"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case opts == "squash":
			p.addFields(f.Type)
		default:
			child := &prop{
				name: name, path: name, doc: f.Tag.Get("doc"), def: f.Tag.Get("default"), scalar: f.Tag.Get("scalar"),
				min: tagNumber(f, "min", math.Inf(-1)), max: tagNumber(f, "max", math.Inf(1)),
			}
			if p.path != "" {
				child.path = p.path + "." + name
			}
			if e := f.Tag.Get("enum"); e != "" {
				child.enum = strings.Split(e, ",")
			}
			child.setType(f.Type)
			p.props = append(p.props, child)
		}
	}
}

func (p *prop) setType(t reflect.Type) {
	switch t.Kind() {
	case reflect.Bool:
		p.kind = boolProp
	case reflect.Int:
		p.kind = intProp
	case reflect.Float64:
		p.kind = floatProp
	case reflect.String:
		p.kind = stringProp
	case reflect.Interface:
		p.kind = anyProp
	case reflect.Map:
		p.kind = textsProp
	case reflect.Pointer:
		p.setType(t.Elem())
	case reflect.Struct:
		p.kind = objectProp
		p.addFields(t)
	case reflect.Slice:
		p.kind = listProp
		p.item = &prop{path: p.path + "[]", enum: p.enum, scalar: p.scalar, min: p.min, max: p.max}
		p.enum = nil
		p.item.setType(t.Elem())
	default:
		panic(fmt.Sprintf("BUG: key %s has type %v, which has no reader", p.path, t))
	}
}

func tagNumber(f reflect.StructField, tag string, otherwise float64) float64 {
	text := f.Tag.Get(tag)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("BUG: tag %s of %s is no number: %v", tag, f.Name, err))
	}
	return n
}

func (p *prop) child(name string) *prop {
	for _, c := range p.props {
		if c.name == name {
			return c
		}
	}
	return nil
}

// defaults returns the values that hold where nothing is written, as the store takes them.
func (p *prop) defaults() map[string]any {
	out := map[string]any{}
	for _, c := range p.props {
		if c.kind == objectProp {
			out[c.name] = c.defaults()
			continue
		}
		if c.def != "" {
			out[c.name] = c.defaultValue()
		}
	}
	return out
}

// defaultValue returns the value of the tag default, which must be there.
func (p *prop) defaultValue() any {
	var y yaml.Node
	if err := yaml.Unmarshal([]byte(p.def), &y); err != nil {
		panic(fmt.Sprintf("BUG: default of %s: %v", p.path, err))
	}
	r := &reader{file: "default of " + p.path, open: map[*yaml.Node]bool{}}
	n, err := r.read(&y)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	c := &checker{}
	v, _ := c.value(p, n)
	if len(c.problems) > 0 {
		panic("BUG: " + c.problems[0].Error())
	}
	return v
}

// jsonSchema is the part of JSON Schema (draft 7) that is used here.
type jsonSchema struct {
	Schema      string         `json:"$schema,omitempty"`
	Title       string         `json:"title,omitempty"`
	Description string         `json:"description,omitempty"`
	Type        any            `json:"type,omitempty"`
	Default     any            `json:"default,omitempty"`
	Enum        []string       `json:"enum,omitempty"`
	Minimum     *float64       `json:"minimum,omitempty"`
	Maximum     *float64       `json:"maximum,omitempty"`
	Items       *jsonSchema    `json:"items,omitempty"`
	Properties  orderedSchemas `json:"properties,omitempty"`
	Extra       any            `json:"additionalProperties,omitempty"`
}

// orderedSchemas keeps the structure's order in the output, so that related keys stay together.
type orderedSchemas []namedSchema

type namedSchema struct {
	name   string
	schema *jsonSchema
}

func (o orderedSchemas) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, s := range o {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendQuote(out, s.name)
		out = append(out, ':')
		val, err := json.Marshal(s.schema)
		if err != nil {
			return nil, err
		}
		out = append(out, val...)
	}
	return append(out, '}'), nil
}

// Schema returns the JSON Schema (draft 7) of a configuration file, indented by two.
func Schema() []byte {
	s := schema().jsonSchema(schema().defaults())
	s.Schema = "http://json-schema.org/draft-07/schema#"
	s.Title = "falconet configuration"
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("BUG: encode the configuration's schema: %v", err))
	}
	return append(out, '\n')
}

func (p *prop) jsonSchema(def any) *jsonSchema {
	s := &jsonSchema{Description: p.doc, Enum: p.enum}
	if p.kind != objectProp {
		s.Default = def
	}
	switch p.kind {
	case boolProp:
		s.Type = "boolean"
	case intProp, floatProp:
		s.Type = "integer"
		if p.kind == floatProp {
			s.Type = "number"
		}
		if !math.IsInf(p.min, 0) {
			s.Minimum = &p.min
		}
		if !math.IsInf(p.max, 0) {
			s.Maximum = &p.max
		}
	case stringProp:
		s.Type = "string"
	case listProp:
		s.Type = []string{"array", "string"}
		if p.item.kind == objectProp && p.scalar == "" || p.item.kind == anyProp {
			s.Type = "array"
		}
		s.Items = p.item.jsonSchema(nil)
	case textsProp:
		s.Type = "object"
		s.Extra = map[string]string{"type": "string"}
	case objectProp:
		s.Type = "object"
		if p.scalar != "" {
			s.Type = []string{"object", "string"}
		}
		s.Extra = false
		defs, _ := def.(map[string]any)
		for _, c := range p.props {
			s.Properties = append(s.Properties, namedSchema{c.name, c.jsonSchema(defs[c.name])})
		}
	}
	return s
}
