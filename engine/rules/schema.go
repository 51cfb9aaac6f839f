// SPDX-License-Identifier: Apache-2.0

package rules

// Schema is the JSON Schema of rule files.
const Schema = `{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "falconet rules file",
  "type": "array",
  "items": {"anyOf": [{"type": "null"}, {"$ref": "#/definitions/item"}]},
  "definitions": {
    "item": {
      "type": "object",
      "oneOf": [
        {"$ref": "#/definitions/engine"},
        {"$ref": "#/definitions/plugins"},
        {"$ref": "#/definitions/list"},
        {"$ref": "#/definitions/macro"},
        {"$ref": "#/definitions/rule"}
      ]
    },
    "engine": {
      "type": "object",
      "additionalProperties": false,
      "required": ["required_engine_version"],
      "properties": {"required_engine_version": {"type": ["string", "integer"]}}
    },
    "plugins": {
      "type": "object",
      "additionalProperties": false,
      "required": ["required_plugin_versions"],
      "properties": {"required_plugin_versions": {"type": "array", "items": {"$ref": "#/definitions/plugin"}}}
    },
    "plugin": {
      "type": "object",
      "additionalProperties": false,
      "required": ["name", "version"],
      "properties": {
        "name": {"type": "string"},
        "version": {"type": "string"},
        "alternatives": {
          "type": "array",
          "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["name", "version"],
            "properties": {"name": {"type": "string"}, "version": {"type": "string"}}
          }
        }
      }
    },
    "list": {
      "type": "object",
      "additionalProperties": false,
      "required": ["list", "items"],
      "properties": {
        "list": {"$ref": "#/definitions/scalar"},
        "items": {"type": "array", "items": {"$ref": "#/definitions/scalar"}},
        "append": {"type": "boolean"},
        "override": {
          "type": "object",
          "additionalProperties": false,
          "properties": {"items": {"$ref": "#/definitions/appendOrReplace"}}
        }
      }
    },
    "macro": {
      "type": "object",
      "additionalProperties": false,
      "required": ["macro", "condition"],
      "properties": {
        "macro": {"$ref": "#/definitions/scalar"},
        "condition": {"$ref": "#/definitions/scalar"},
        "append": {"type": "boolean"},
        "override": {
          "type": "object",
          "additionalProperties": false,
          "properties": {"condition": {"$ref": "#/definitions/appendOrReplace"}}
        }
      }
    },
    "rule": {
      "type": "object",
      "additionalProperties": false,
      "required": ["rule"],
      "anyOf": [
        {"required": ["condition", "output", "desc", "priority"]},
        {"required": ["enabled"]},
        {"required": ["append"]},
        {"required": ["override"]}
      ],
      "properties": {
        "rule": {"$ref": "#/definitions/scalar"},
        "desc": {"$ref": "#/definitions/scalar"},
        "condition": {"$ref": "#/definitions/scalar"},
        "output": {"$ref": "#/definitions/scalar"},
        "priority": {"anyOf": [
          {"enum": ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG"]},
          {"$ref": "#/definitions/anyCasePriority"}
        ]},
        "source": {"$ref": "#/definitions/scalar"},
        "enabled": {"type": "boolean"},
        "warn_evttypes": {"type": "boolean"},
        "skip-if-unknown-filter": {"type": "boolean"},
        "capture": {"type": "boolean"},
        "capture_duration": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"$ref": "#/definitions/scalar"}},
        "exceptions": {"type": "array", "items": {"$ref": "#/definitions/exception"}},
        "append": {"type": "boolean"},
        "override": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "desc": {"$ref": "#/definitions/appendOrReplace"},
            "condition": {"$ref": "#/definitions/appendOrReplace"},
            "output": {"$ref": "#/definitions/appendOrReplace"},
            "tags": {"$ref": "#/definitions/appendOrReplace"},
            "exceptions": {"$ref": "#/definitions/appendOrReplace"},
            "priority": {"$ref": "#/definitions/replace"},
            "enabled": {"$ref": "#/definitions/replace"},
            "warn_evttypes": {"$ref": "#/definitions/replace"},
            "skip-if-unknown-filter": {"$ref": "#/definitions/replace"},
            "capture": {"$ref": "#/definitions/replace"},
            "capture_duration": {"$ref": "#/definitions/replace"}
          }
        }
      }
    },
    "exception": {
      "type": "object",
      "additionalProperties": false,
      "required": ["name"],
      "properties": {
        "name": {"$ref": "#/definitions/scalar"},
        "fields": {"$ref": "#/definitions/oneOrMore"},
        "comps": {"$ref": "#/definitions/oneOrMore"},
        "values": {"type": ["array", "null"], "items": {"anyOf": [
          {"$ref": "#/definitions/scalar"},
          {"type": "array", "items": {"anyOf": [
            {"$ref": "#/definitions/scalar"},
            {"type": "array", "items": {"$ref": "#/definitions/scalar"}}
          ]}}
        ]}}
      }
    },
    "anyCasePriority": {"type": "string", "pattern": "^([Ee][Mm][Ee][Rr][Gg][Ee][Nn][Cc][Yy]|[Aa][Ll][Ee][Rr][Tt]|[Cc][Rr][Ii][Tt][Ii][Cc][Aa][Ll]|[Ee][Rr][Rr][Oo][Rr]|[Ww][Aa][Rr][Nn][Ii][Nn][Gg]|[Nn][Oo][Tt][Ii][Cc][Ee]|[Ii][Nn][Ff][Oo]([Rr][Mm][Aa][Tt][Ii][Oo][Nn][Aa][Ll])?|[Dd][Ee][Bb][Uu][Gg])$"},
    "oneOrMore": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "scalar": {"type": ["string", "number", "boolean"]},
    "appendOrReplace": {"enum": ["append", "replace"]},
    "replace": {"enum": ["replace"]}
  }
}
`
