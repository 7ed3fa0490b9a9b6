package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// answerTriesMax bounds how often one thing is asked.
const answerTriesMax = 3

// askDetails asks whoever sits at the terminal for what the customer is asked now.
func (a *app) askDetails(ctx context.Context, request *dialtonev1.SubmitPortingInfoRequest, answer *answering) (*dialtonev1.UsPortingInfo, error) {
	keyboard := a.keyboard()
	if keyboard == nil {
		return nil, &usageError{
			text: "standard input is no terminal to ask at; with --stdin the details are read from it",
			help: "dialtone port submit --help",
		}
	}
	prompt, err := a.readPrompt(ctx, request.GetActivationId())
	if err != nil {
		return nil, err
	}
	if err := askable(prompt, request); err != nil {
		return nil, err
	}
	a.nameDetails(prompt)
	if request.GetRevision() == 0 {
		request.Revision = answer.on(prompt)
	}
	k := &asker{app: a, keyboard: keyboard, lines: bufio.NewReader(keyboard)}
	return k.details(ctx, prompt)
}

// askable says why there is nothing to ask for.
func askable(prompt *dialtonev1.PortingPrompt, request *dialtonev1.SubmitPortingInfoRequest) error {
	next := []string{"see what is asked: " + seePrompt(request.GetActivationId())}
	switch {
	case request.GetRevision() != 0 && request.GetRevision() != prompt.GetRevision():
		return &exitError{
			code: exitConflict, next: next,
			text: fmt.Sprintf("the question has changed: revision %d is asked now, not %d", prompt.GetRevision(), request.GetRevision()),
		}
	case len(prompt.GetRequiredFields()) == 0:
		return &exitError{code: exitConflict, text: "no details are asked for now", next: next}
	}
	for _, field := range prompt.GetRequiredFields() {
		if err := setDetail(&dialtonev1.UsPortingInfo{}, detailName(field.GetField()), ""); err != nil {
			return &exitError{
				code: exitFailed,
				text: fmt.Sprintf("the server asks for %s (%s), which this program does not know", field.GetField(), field.GetLabel()),
				next: []string{"use a newer dialtone, or the portal: dialtone port link " + request.GetActivationId() + " --reason WHY"},
			}
		}
	}
	return nil
}

// asker asks at a terminal. The questions go to stderr, so that stdout has the answer alone.
type asker struct {
	app      *app
	keyboard *os.File
	lines    *bufio.Reader
}

// details asks for each field in turn.
func (k *asker) details(ctx context.Context, prompt *dialtonev1.PortingPrompt) (*dialtonev1.UsPortingInfo, error) {
	p := k.app.page(k.app.env.Err)
	p.said("", join(" ", prompt.GetMessage(), prompt.GetDonorHint()))
	p.linef("%s", p.paint("An empty answer keeps what is held. Ctrl-C gives up, and nothing is sent.", dim))
	k.app.say("%s", strings.TrimSuffix(p.String(), "\n"))
	details := &dialtonev1.UsPortingInfo{}
	for _, field := range prompt.GetRequiredFields() {
		if err := k.field(ctx, details, field); err != nil {
			return nil, err
		}
	}
	return details, nil
}

// field asks for one thing until it has an answer that can be taken.
func (k *asker) field(ctx context.Context, details *dialtonev1.UsPortingInfo, field *dialtonev1.PortingField) error {
	name := detailName(field.GetField())
	p := k.app.page(k.app.env.Err)
	p.linef("")
	p.linef("%s", p.paint(field.GetLabel(), bold))
	p.said("  ", field.GetHint())
	if field.GetRefused() {
		p.linef("  %s", p.paint("This was refused: give another.", red))
	}
	k.app.say("%s", strings.TrimRight(p.String(), "\n "))
	for range answerTriesMax {
		text, err := k.ask(ctx, questionMark(field), field.GetSecret() || name == "pin")
		if err != nil {
			return err
		}
		text = strings.TrimSpace(text)
		if text == "" && needed(field) {
			k.app.say("  It is needed.")
			continue
		}
		if err := setDetail(details, name, text); err != nil {
			k.app.say("  %s.", capital(err.Error()))
			continue
		}
		if name == lineLosses && text != "" && !details.GetAcceptsLineLosses() {
			k.app.say("  Without that the number cannot come.")
			continue
		}
		return nil
	}
	return &exitError{
		code: exitUsage,
		text: field.GetLabel() + " was not given, so nothing was sent",
		next: []string{"ask the customer for it, then run the same command again"},
	}
}

// questionMark is what stands before the cursor: what is held, or how to answer.
func questionMark(field *dialtonev1.PortingField) string {
	var how []string
	if isYesNo(detailName(field.GetField())) {
		how = append(how, "yes or no")
	}
	if field.GetSecret() {
		how = append(how, "typing is not shown")
	}
	switch {
	case field.GetHeld() && !field.GetRefused():
		how = append(how, join(" ", "held", field.GetMaskedValue()))
	case !needed(field):
		how = append(how, "may be left out")
	}
	return "  " + join(" ", parenthesised(strings.Join(how, ", ")), "> ")
}

// ask reads a line. What is typed is shown unless it is secret.
func (k *asker) ask(ctx context.Context, question string, secret bool) (string, error) {
	if secret {
		show, err := hideTyping(ctx, k.keyboard)
		if err != nil {
			return "", &exitError{
				code: exitFailed,
				text: "this terminal cannot hide what is typed, so nothing was asked: " + clean(err.Error()),
				next: []string{"give the details on standard input: dialtone port submit --help"},
			}
		}
		defer show()
	}
	fmt.Fprint(k.app.env.Err, question)
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	// It ends with the line, or with the process when nobody waits any more.
	go func() {
		text, err := k.lines.ReadString('\n')
		typed <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		k.app.say("")
		return "", notAnswered(ctx)
	case l := <-typed:
		if l.err != nil {
			k.app.say("")
			return "", &exitError{code: exitFailed, text: "the input has ended, so nothing was sent"}
		}
		return strings.TrimRight(l.text, "\r\n"), nil
	}
}

// notAnswered is the end of a question by Ctrl-C or by --timeout.
func notAnswered(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return &exitError{
			code: exitTryAgain, text: "the time of --timeout is over; nothing was sent",
			next: []string{"run the same command again, with a longer --timeout or none"},
		}
	}
	return &exitError{code: exitInterrupted, text: "interrupted; nothing was sent"}
}

// capital begins a sentence.
func capital(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
