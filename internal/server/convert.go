package server

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// The convert*.go files are the only ones that turn records into messages.
//
// Words of the domain (states, kinds, severities) are the schema's enum values without their
// prefix, so that they are turned by name. A word that the schema does not have becomes
// UNSPECIFIED; a test sees to it that there is none.

// enum finds the value of a word.
func enum[E ~int32, W ~string](values map[string]int32, prefix string, word W) E {
	return E(values[prefix+string(word)])
}

// word finds the word of a value; false when the schema does not have the value. The
// UNSPECIFIED one is the empty word.
func word[W ~string, E ~int32](names map[int32]string, prefix string, value E) (W, bool) {
	if value == 0 {
		return "", true
	}
	name, ok := names[int32(value)]
	if !ok {
		return "", false
	}
	return W(name[len(prefix):]), true
}

// instant turns a time; the zero one into none.
func instant(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func instantOf(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return instant(*t)
}
