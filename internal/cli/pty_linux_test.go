package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/dialtone/dialtone/internal/cli"
)

const customerAsked = `[
	{"method": "GetPortingPrompt", "reply": {"prompt": {"kind": "PROMPT_KIND_CORRECT_INFO", "revision": "2",
		"message": "AT&T did not accept \u001b[31mthe PIN.", "donor_hint": "Dial *PORT.", "required_fields": [
		{"field": "us.number_in_service", "label": "Is this number still in service?"},
		{"field": "us.account_number", "label": "Account number", "held": true, "masked_value": "•••4321"},
		{"field": "us.pin", "label": "Transfer PIN", "hint": "It has six digits.", "held": true, "refused": true, "secret": true},
		{"field": "us.pin_make_date", "label": "Day on which you got it"},
		{"field": "us.accepts_line_losses", "label": "I know that the alarm will stop"},
		{"field": "us.account_zip", "label": "ZIP code of your account"}]}}},
	{"method": "SubmitPortingInfo", "reply": {"verdict": "SUBMISSION_VERDICT_ACCEPTED"}}]`

// On a terminal it asks for each thing in turn, and asks again for what it cannot take. What
// is secret is not shown while it is typed; all else is. No word of the server drives it.
func TestPortSubmit_Terminal(t *testing.T) {
	t.Parallel()
	s, env, _ := wire(t, customerAsked, "port", "submit", "0199c2e4-7a1b-7c3d-8e4f-0123456789ab", "--request-id", "11111111-1111-4111-8111-111111111111")
	tty := newTerminal(t)
	out := &bytes.Buffer{}
	env.In, env.Err, env.Out = tty.inside, tty.inside, out
	ended := make(chan int, 1)
	go func() { ended <- cli.Run(t.Context(), env) }()

	tty.expect("still in service?\r\n  (yes or no) > ")
	tty.enter("perhaps")
	tty.expect("It is yes or no.\r\n  (yes or no) > ")
	tty.enter("Yes")
	tty.expect("Account number\r\n  (held •••4321) > ")
	tty.enter("")
	tty.expect("It has six digits.\r\n  This was refused: give another.\r\n  (typing is not shown) > ")
	tty.enter("")
	tty.expect("It is needed.\r\n  (typing is not shown) > ")
	tty.enter("042017")
	tty.expect("Day on which you got it\r\n  (may be left out) > ")
	tty.enter("")
	tty.expect("(yes or no) > ")
	tty.enter("no")
	tty.expect("Without that the number cannot come.\r\n  (yes or no) > ")
	tty.enter("y")
	tty.expect("ZIP code of your account\r\n  > ")
	tty.enter("90012")
	tty.expect("90012\r\n")

	if code := tty.code(ended); code != 0 {
		t.Errorf("exit code %d", code)
	}
	seen := tty.seen()
	if strings.Contains(seen, "042017") {
		t.Errorf("the PIN was shown:\n%s", seen)
	}
	if strings.Contains(seen, "\x1b") {
		t.Errorf("it showed\n%q", seen)
	}
	if want := "Accepted\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("it printed %q", out)
	}
	want := `SubmitPortingInfo t {"request_id":"11111111-1111-4111-8111-111111111111","activation_id":"0199c2e4-7a1b-7c3d-8e4f-0123456789ab","revision":"2","us":{"pin":"042017","account_zip":"90012","number_in_service":true,"accepts_line_losses":true}}`
	if calls := s.asked(); !strings.Contains(calls, want) {
		t.Errorf("it called\n%s", calls)
	}
}

// Whoever gives up while typing is hidden has a terminal that shows it again, and nothing was
// sent.
func TestPortSubmit_CtrlC(t *testing.T) {
	t.Parallel()
	asked := strings.Replace(customerAsked, `{"field": "us.number_in_service", "label": "Is this number still in service?"},`, "", 1)
	s, env, _ := wire(t, asked, "port", "submit", "0199c2e4-7a1b-7c3d-8e4f-0123456789ab")
	tty := newTerminal(t)
	env.In, env.Err = tty.inside, tty.inside
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- cli.Run(ctx, env) }()

	tty.expect("> ")
	tty.enter("")
	tty.expect("(typing is not shown) > ")
	if tty.echoes() {
		t.Error("what is typed is shown")
	}
	interrupt()

	if code := tty.code(ended); code != 130 {
		t.Errorf("exit code %d", code)
	}
	tty.expect("interrupted; nothing was sent\r\n")
	if !tty.echoes() {
		t.Error("what is typed stays hidden")
	}
	if calls := s.asked(); strings.Contains(calls, "SubmitPortingInfo") {
		t.Errorf("it called\n%s", calls)
	}
}

// The end of the input, and a question without details, send nothing.
func TestPortSubmit_NothingToSend(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers string
		args    []string
		enter   string
		code    int
		want    string
	}{
		"Ctrl-D":               {answers: customerAsked, enter: "\x04", code: 1, want: "error: the input has ended, so nothing was sent\r\n"},
		"three bad answers":    {answers: customerAsked, enter: "x\nx\nx\n", code: 2, want: "error: Is this number still in service? was not given, so nothing was sent\r\n"},
		"another question":     {answers: customerAsked, args: []string{"--revision", "1"}, code: 5, want: "error: the question has changed: revision 2 is asked now, not 1\r\n"},
		"no details asked for": {answers: `[{"method": "GetPortingPrompt", "reply": {"prompt": {"kind": "PROMPT_KIND_NONE"}}}]`, code: 5, want: "error: no details are asked for now\r\n"},
		"a newer detail": {
			answers: `[{"method": "GetPortingPrompt", "reply": {"prompt": {"required_fields": [{"field": "us.shoe_size", "label": "Shoe size"}]}}}]`,
			code:    1, want: "error: the server asks for us.shoe_size (Shoe size), which this program does not know\r\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, env, _ := wire(t, test.answers, append([]string{"port", "submit", "0199c2e4-7a1b-7c3d-8e4f-0123456789ab"}, test.args...)...)
			tty := newTerminal(t)
			env.In, env.Err = tty.inside, tty.inside
			tty.typed(test.enter)

			if code := cli.Run(t.Context(), env); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}

			tty.expect(test.want)
			if calls := s.asked(); strings.Contains(calls, "SubmitPortingInfo") {
				t.Errorf("it called\n%s", calls)
			}
		})
	}
}

// terminal is a pseudo-terminal: what a program has, and who sits at it.
type terminal struct {
	t       *testing.T
	inside  *os.File
	outside *os.File
	heard   chan byte
	text    strings.Builder
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	outside, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	var locked, number int32
	control(t, outside, syscall.TIOCSPTLCK, unsafe.Pointer(&locked))
	control(t, outside, syscall.TIOCGPTN, unsafe.Pointer(&number))
	inside, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	tty := &terminal{t: t, inside: inside, outside: outside, heard: make(chan byte, 1<<16)}
	go func() {
		one := make([]byte, 1)
		for {
			if n, err := outside.Read(one); err != nil || n == 0 {
				return // The inside was closed.
			}
			tty.heard <- one[0]
		}
	}()
	t.Cleanup(func() {
		_ = inside.Close()
		_ = outside.Close()
	})
	return tty
}

// expect reads until the text has come.
func (tty *terminal) expect(text string) {
	tty.t.Helper()
	before := tty.text.Len()
	for !strings.Contains(tty.text.String()[before:], text) {
		select {
		case b := <-tty.heard:
			tty.text.WriteByte(b)
		case <-time.After(holdTimeout):
			tty.t.Fatalf("no %q in\n%s", text, tty.text.String())
		}
	}
}

func (tty *terminal) enter(line string) { tty.typed(line + "\n") }

func (tty *terminal) typed(keys string) {
	tty.t.Helper()
	if _, err := tty.outside.WriteString(keys); err != nil {
		tty.t.Fatal(err)
	}
}

// code waits for the end.
func (tty *terminal) code(ended <-chan int) int {
	tty.t.Helper()
	select {
	case code := <-ended:
		return code
	case <-time.After(holdTimeout):
		tty.t.Fatalf("it does not end:\n%s", tty.text.String())
		return 0
	}
}

// seen is all that was on the screen.
func (tty *terminal) seen() string {
	for {
		select {
		case b := <-tty.heard:
			tty.text.WriteByte(b)
		default:
			return tty.text.String()
		}
	}
}

// echoes tells whether what is typed is shown.
func (tty *terminal) echoes() bool {
	var settings syscall.Termios
	control(tty.t, tty.inside, syscall.TCGETS, unsafe.Pointer(&settings))
	return settings.Lflag&syscall.ECHO != 0
}

func control(t *testing.T, file *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	if _, _, fault := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), request, uintptr(argument)); fault != 0 {
		t.Fatalf("ioctl %#x: %v", request, fault)
	}
}
