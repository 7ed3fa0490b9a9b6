package wire

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfterMax is the longest wait that a partner may ask for. A longer wish is taken as
// this one: a mistake of theirs must not silence us for a day.
const RetryAfterMax = time.Hour

// RetryAfter reads the Retry-After header (RFC 9110 §10.2.3: seconds, or a date, which is
// why it needs now). It is 0 when there is none, when it cannot be read, and when it lies
// in the past.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return bounded(time.Duration(seconds) * time.Second)
	}
	if at, err := http.ParseTime(value); err == nil {
		return bounded(at.Sub(now))
	}
	return 0
}

func bounded(wait time.Duration) time.Duration { return min(max(wait, 0), RetryAfterMax) }

// CodeMax is the length to which SafeCode cuts.
const CodeMax = 64

// SafeCode makes a code that came from outside fit for screens, logs and metrics: ASCII
// letters, digits and " ._/:-" stay, everything else goes, and it is cut at CodeMax. It is
// for codes only: no filter makes a partner's free text safe, which may name the customer.
func SafeCode(code string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9',
			strings.ContainsRune(" ._/:-", r):
			return r
		default:
			return -1
		}
	}, code)
	return safe[:min(len(safe), CodeMax)]
}
