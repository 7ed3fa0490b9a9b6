package cli

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// exactLayout is how an instant is written. It is UTC, as in logs and in the Temporal UI.
const exactLayout = "2006-01-02 15:04:05 UTC"

// exact is an instant; empty when unset.
func exact(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	return at.AsTime().UTC().Format(exactLayout)
}

// aside is an instant beside the words for it; it is not broken over two lines.
func aside(at *timestamppb.Timestamp) string {
	return strings.ReplaceAll("("+exact(at)+")", " ", glue)
}

// when is an instant as people and logs say it: "12m ago (2026-03-04 12:52:05 UTC)".
func (p *page) when(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	distance := p.now.Sub(at.AsTime())
	if distance < 0 {
		return fmt.Sprintf("in %s %s", span(-distance), aside(at))
	}
	if distance < time.Second {
		return "just now " + aside(at)
	}
	return fmt.Sprintf("%s ago %s", span(distance), aside(at))
}

// due is a deadline: "in 3m (…)", and once it has passed "overdue by 3m (…)".
func (p *page) due(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	if p.overdue(at) {
		return fmt.Sprintf("overdue by %s %s", span(p.now.Sub(at.AsTime())), aside(at))
	}
	return p.when(at)
}

// dueShort is due without the instant.
func (p *page) dueShort(at *timestamppb.Timestamp) string {
	switch {
	case at == nil:
		return ""
	case p.overdue(at):
		return "overdue by " + span(p.now.Sub(at.AsTime()))
	}
	return "in " + span(at.AsTime().Sub(p.now))
}

// overdue says that a deadline has passed.
func (p *page) overdue(at *timestamppb.Timestamp) bool {
	return at != nil && p.now.After(at.AsTime())
}

// age is how long ago something was; empty when unset.
func (p *page) age(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	return span(p.now.Sub(at.AsTime()))
}

// between is how long something took; empty when either end is unset.
func between(from, to *timestamppb.Timestamp) string {
	if from == nil || to == nil {
		return ""
	}
	took := to.AsTime().Sub(from.AsTime())
	if took > 0 && took < time.Second {
		return fmt.Sprintf("%dms", took.Milliseconds())
	}
	return span(took)
}

// span is a duration in its two greatest units. Clocks differ, so less than nothing is
// nothing.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d/time.Second))
	case d < time.Hour:
		return units(d, time.Minute, "m", time.Second, "s")
	case d < day:
		return units(d, time.Hour, "h", time.Minute, "m")
	}
	return units(d, day, "d", time.Hour, "h")
}

func units(d, greater time.Duration, greaterName string, lesser time.Duration, lesserName string) string {
	text := fmt.Sprintf("%d%s", int(d/greater), greaterName)
	if rest := int(d % greater / lesser); rest > 0 {
		text += fmt.Sprintf(" %d%s", rest, lesserName)
	}
	return text
}

// instant is a flag that takes a time: RFC 3339, or a date, which is its first moment in UTC.
type instant struct{ at *timestamppb.Timestamp }

// Set reads it.
func (i *instant) Set(value string) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, value); err == nil {
			i.at = timestamppb.New(at)
			return nil
		}
	}
	return fmt.Errorf("it must be a date (2026-03-04) or a time (2026-03-04T15:00:00Z)")
}

// String is the time.
func (i *instant) String() string {
	if i.at == nil {
		return ""
	}
	return i.at.AsTime().Format(time.RFC3339)
}

// Type stands in the help text.
func (i *instant) Type() string { return "time" }
