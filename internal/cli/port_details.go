package cli

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// detailBytesMax bounds what is read; the server takes no longer message.
const detailBytesMax = 64 << 10

// Two details that are not like the others: without the day of a PIN its time begins when we
// get it, so that it may be left out; and to a number that takes other services with it there
// is no other answer than yes.
const (
	pinDay     = "pin_make_date"
	lineLosses = "accepts_line_losses"
)

// needed says that something must be given: what is held may stay, unless it was refused.
func needed(field *dialtonev1.PortingField) bool {
	return (!field.GetHeld() || field.GetRefused()) && detailName(field.GetField()) != pinDay
}

// detailNames are the details that there are, as the schema calls them.
func detailNames() []string {
	var names []string
	fields := (&dialtonev1.UsPortingInfo{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		names = append(names, string(fields.Get(i).Name()))
	}
	return names
}

// setDetail puts a value in. What it refuses it tells without the value: that is a secret.
func setDetail(details *dialtonev1.UsPortingInfo, name, value string) error {
	message := details.ProtoReflect()
	field := message.Descriptor().Fields().ByName(protoreflect.Name(name))
	switch {
	case field == nil:
		return fmt.Errorf("there is no such detail; there are %s", strings.Join(detailNames(), ", "))
	case !utf8.ValidString(value):
		return fmt.Errorf("it is not UTF-8")
	case value == "":
		return nil
	case isYesNo(name):
		yes, ok := yesNo(value)
		if !ok {
			return fmt.Errorf("it is yes or no")
		}
		message.Set(field, protoreflect.ValueOfBool(yes))
	default:
		message.Set(field, protoreflect.ValueOfString(value))
	}
	return nil
}

// isYesNo says that a detail is a question of yes or no.
func isYesNo(name string) bool {
	field := (&dialtonev1.UsPortingInfo{}).ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(name))
	return field != nil && field.Kind() == protoreflect.BoolKind
}

// yesNo reads an answer; false when it is neither.
func yesNo(text string) (yes, ok bool) {
	switch strings.ToLower(text) {
	case "yes", "y", "true":
		return true, true
	case "no", "n", "false":
		return false, true
	}
	return false, false
}

// readDetails reads lines of the form "name: value". It names all that cannot be taken, by
// line.
func readDetails(from io.Reader) (*dialtonev1.UsPortingInfo, error) {
	limited := &io.LimitedReader{R: from, N: detailBytesMax + 1}
	scanner := bufio.NewScanner(limited)
	scanner.Buffer(nil, detailBytesMax+1)
	details := &dialtonev1.UsPortingInfo{}
	var bad []string
	seen := map[string]int{}
	for number := 1; scanner.Scan(); number++ {
		line := strings.TrimSpace(strings.TrimPrefix(scanner.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := readDetail(details, line, number, seen); err != nil {
			bad = append(bad, fmt.Sprintf("\n  line %d: %v", number, err))
		}
	}
	switch {
	case limited.N == 0:
		return nil, fmt.Errorf("standard input is over %d KiB", detailBytesMax>>10)
	case scanner.Err() != nil:
		return nil, fmt.Errorf("read standard input: %w", scanner.Err())
	case len(bad) > 0:
		bad = append(bad[:min(len(bad), badLinesMax)], more(len(bad)-badLinesMax)...)
		return nil, fmt.Errorf("standard input has lines that cannot be taken, so nothing was sent:%s", strings.Join(bad, ""))
	case len(seen) == 0:
		return nil, fmt.Errorf("standard input has no detail, as in pin: 0420")
	}
	return details, nil
}

func more(count int) []string {
	if count <= 0 {
		return nil
	}
	return []string{fmt.Sprintf("\n  and %d more", count)}
}

// readDetail takes one line. Only what stands before the colon is ever told.
func readDetail(details *dialtonev1.UsPortingInfo, line string, number int, seen map[string]int) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return fmt.Errorf("it has no colon, as in pin: 0420")
	}
	name = detailName(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "-", "_"))
	if before := seen[name]; before > 0 && slices.Contains(detailNames(), name) {
		return fmt.Errorf("%s stands in line %d already", name, before)
	}
	seen[name] = number
	if err := setDetail(details, name, strings.TrimSpace(value)); err != nil {
		if !slices.Contains(detailNames(), name) {
			return err // What stands there may be a secret in the wrong place.
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
