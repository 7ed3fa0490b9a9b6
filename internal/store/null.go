package store

import (
	"time"

	"github.com/google/uuid"
)

// zeroNull stores the zero time as NULL.
func zeroNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// emptyNull stores an empty string as NULL.
func emptyNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// texts stores a list of words; none is an empty list.
func texts[T ~string](words []T) []string {
	all := make([]string, 0, len(words))
	for _, word := range words {
		all = append(all, string(word))
	}
	return all
}

// value reads NULL as the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// isUUID tells whether an id from outside is a UUID in its canonical form. Others would be
// an error to Postgres, and are nobody's.
func isUUID(s string) bool {
	return len(s) == len(uuid.UUID{}.String()) && uuid.Validate(s) == nil
}
