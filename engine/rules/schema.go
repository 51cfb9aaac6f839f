// SPDX-License-Identifier: Apache-2.0

package rules

// Schema is the JSON Schema of rule files.
const Schema = `{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "falconet rules file",
  "type": "array",
  "items": {"$ref": "#/definitions/item"},
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
        "list": {"type": "string"},
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
        "macro": {"type": "string"},
        "condition": {"type": "string"},
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
      "properties": {
        "rule": {"type": "string"},
        "desc": {"type": "string"},
        "condition": {"type": "string"},
        "output": {"type": "string"},
        "priority": {"type": "string", "enum": [
          "EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFORMATIONAL", "INFO", "DEBUG",
          "Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Info", "Debug",
          "emergency", "alert", "critical", "error", "warning", "notice", "informational", "info", "debug"
        ]},
        "source": {"type": "string"},
        "enabled": {"type": "boolean"},
        "warn_evttypes": {"type": "boolean"},
        "skip-if-unknown-filter": {"type": "boolean"},
        "capture": {"type": "boolean"},
        "capture_duration": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"type": "string"}},
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
        "name": {"type": "string"},
        "fields": {"$ref": "#/definitions/oneOrMore"},
        "comps": {"$ref": "#/definitions/oneOrMore"},
        "values": {"type": "array", "items": {"anyOf": [
          {"$ref": "#/definitions/scalar"},
          {"type": "array", "items": {"anyOf": [
            {"$ref": "#/definitions/scalar"},
            {"type": "array", "items": {"$ref": "#/definitions/scalar"}}
          ]}}
        ]}}
      }
    },
    "oneOrMore": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "scalar": {"type": ["string", "number", "boolean"]},
    "appendOrReplace": {"enum": ["append", "replace"]},
    "replace": {"enum": ["replace"]}
  }
}
`
