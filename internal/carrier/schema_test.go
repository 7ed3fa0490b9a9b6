package carrier_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// check says what is wrong with a JSON text, by the few words of JSON Schema that the
// document uses; a word that it does not know is an error too.
func (document node) check(schema node, text []byte) []string {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	return document.value("body", schema, value)
}

func (document node) value(at string, schema node, value any) []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	schema = document.follow(schema)
	if schema == nil {
		return []string{at + ": has no schema"}
	}
	for word, says := range schema {
		switch word {
		case "description", "format", "additionalProperties", "required", "properties", "items":
		case "type":
			if !isType(says, value) {
				say("not of type %v", says)
			}
		case "const":
			if value != says {
				say("not %v", says)
			}
		case "enum":
			if !slices.Contains(says.([]any), value) {
				say("%v is none of %v", value, says)
			}
		case "pattern":
			if text, _ := value.(string); !regexp.MustCompile(says.(string)).MatchString(text) {
				say("%q does not match %v", text, says)
			}
		case "maxLength":
			if text, _ := value.(string); len([]rune(text)) > says.(int) {
				say("longer than %v", says)
			}
		default:
			say("the schema says %s, which this test does not know", word)
		}
	}
	if text, isText := value.(string); isText && schema["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			say("not a time: %s", text)
		}
	}
	if text, isText := value.(string); isText && schema["format"] == "date" {
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			say("not a date: %s", text)
		}
	}
	if list, isList := value.([]any); isList {
		for i, item := range list {
			wrong = append(wrong, document.value(fmt.Sprint(at, "/", i), document.at(schema, "items"), item)...)
		}
	}
	if object, isObject := value.(map[string]any); isObject {
		wrong = append(wrong, document.object(at, schema, object)...)
	}
	return wrong
}

// object checks fields. One that the schema does not name is wrong also where the document
// allows more, because here both sides are ours.
func (document node) object(at string, schema node, object map[string]any) []string {
	var wrong []string
	properties := document.at(schema, "properties")
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, there := object[name.(string)]; !there {
			wrong = append(wrong, fmt.Sprintf("%s: has no %v", at, name))
		}
	}
	for name, value := range object {
		property, known := properties[name].(node)
		if !known {
			wrong = append(wrong, fmt.Sprintf("%s: has %s, which the document does not name", at, name))
			continue
		}
		wrong = append(wrong, document.value(at+"."+name, property, value)...)
	}
	return wrong
}

func isType(want, value any) bool {
	switch want {
	case "object":
		_, ok := value.(map[string]any)
		return ok
	case "array":
		_, ok := value.([]any)
		return ok
	case "string":
		_, ok := value.(string)
		return ok
	case "boolean":
		_, ok := value.(bool)
		return ok
	default:
		return false
	}
}
