package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// answer prints a call's response: as JSON, or in the words that text writes.
func (a *app) answer(response proto.Message, text func(*page)) error {
	if a.json() {
		return a.printJSON(response, false)
	}
	p := a.page(a.env.Out)
	text(p)
	return a.write(p.String())
}

// printJSON prints a message with the names of the schema and with every field that has a
// value or a default, so that programs find the same keys each time. A stream's messages
// stand one on a line.
func (a *app) printJSON(message proto.Message, line bool) error {
	data, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(message)
	if err != nil {
		return fmt.Errorf("write the answer as JSON: %w", err)
	}
	// protojson varies its blanks from build to build, on purpose.
	var out bytes.Buffer
	if line {
		err = json.Compact(&out, data)
	} else {
		err = json.Indent(&out, data, "", "  ")
	}
	if err != nil {
		return fmt.Errorf("write the answer as JSON: %w", err)
	}
	return a.write(escapeJSON(out.String()) + "\n")
}

// escapeJSON writes what a terminal would obey as \u0000: the same JSON, harmless on a
// screen.
func escapeJSON(text string) string {
	var out strings.Builder
	for _, r := range text {
		if r != '\n' && obeyed(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// write writes to stdout.
func (a *app) write(text string) error {
	if _, err := io.WriteString(a.env.Out, text); err != nil {
		return fmt.Errorf("write to stdout: %w", err)
	}
	return nil
}

// say writes a line to stderr. What comes from the server has been cleaned.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.env.Err, format+"\n", args...)
}

// page begins a text for one of the two streams.
func (a *app) page(out io.Writer) *page {
	return &page{now: a.env.Now(), color: !a.env.NoColor && a.terminal(out)}
}

// terminal says that a stream is a screen that obeys escape sequences.
func (a *app) terminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && a.env.Term != "" && a.env.Term != "dumb" && isTerminal(file)
}

// keyboard is the terminal that somebody types at; nil when stdin is none.
func (a *app) keyboard() *os.File {
	file, ok := a.env.In.(*os.File)
	if !ok || !isTerminal(file) {
		return nil
	}
	return file
}

// isTerminal says that a file is a terminal.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
