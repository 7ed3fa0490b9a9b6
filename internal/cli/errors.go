package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errorDomain marks what the server itself has refused.
const errorDomain = "dialtone"

// refusal is a status and its details.
type refusal struct {
	code         codes.Code
	message      string
	info         *errdetails.ErrorInfo
	fields       []*errdetails.BadRequest_FieldViolation
	precondition []*errdetails.PreconditionFailure_Violation
	retry        *errdetails.RetryInfo
}

// refusalOf reads a status; false for any other error.
func refusalOf(err error) (refusal, bool) {
	read, ok := status.FromError(err)
	if !ok || err == nil {
		return refusal{}, false
	}
	r := refusal{code: read.Code(), message: clean(read.Message())}
	for _, detail := range read.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == errorDomain {
				r.info = detail
			}
		case *errdetails.BadRequest:
			r.fields = detail.GetFieldViolations()
		case *errdetails.PreconditionFailure:
			r.precondition = detail.GetViolations()
		case *errdetails.RetryInfo:
			r.retry = detail
		}
	}
	return r, true
}

// reason is the server's code for it; empty when the server did not speak.
func (r refusal) reason() string { return clean(r.info.GetReason()) }

// about gives an identifier that stands in the way.
func (r refusal) about(key string) string { return clean(r.info.GetMetadata()[key]) }

// silent says that no server of ours answered: it is down, away or not one of ours.
func (r refusal) silent() bool {
	return r.info == nil && (r.code == codes.Unavailable || r.code == codes.DeadlineExceeded)
}

// report says on stderr what went wrong and what to do next.
func (a *app) report(err error) {
	if usage, ok := errors.AsType[*usageError](err); ok {
		a.say("%s: %s\n%s: %s", a.label("error"), usage.text, a.label("next"), usage.help)
		return
	}
	if end, ok := errors.AsType[*exitError](err); ok {
		if end.code == exitInterrupted {
			a.say("%s", end.text) // It was wanted.
		} else {
			a.say("%s: %s", a.label("error"), end.text)
		}
		a.sayNext(end.next)
		return
	}
	r, ok := refusalOf(err)
	switch {
	case !ok:
		a.say("%s: %s", a.label("error"), clean(err.Error()))
	case r.silent():
		a.reportSilence(r)
	default:
		a.reportRefusal(r)
	}
}

// reportRefusal tells what the server said.
func (a *app) reportRefusal(r refusal) {
	text := r.message
	if text == "" {
		text = r.code.String()
	}
	if reason := r.reason(); reason != "" {
		text += " (" + reason + ")"
	}
	a.say("%s: %s", a.label("error"), text)
	for _, field := range r.fields {
		line := fmt.Sprintf("  %s: %s", a.flagOf(clean(field.GetField())), clean(field.GetDescription()))
		if reason := clean(field.GetReason()); reason != "" {
			line += " (" + reason + ")"
		}
		a.say("%s", line)
	}
	for _, violation := range r.precondition {
		a.say("  %s", clean(cmp.Or(violation.GetDescription(), join(" ", violation.GetType(), violation.GetSubject()))))
	}
	a.sayNext(a.nextSteps(r))
}

// reportSilence tells that nobody answered, and how to have somebody there.
func (a *app) reportSilence(r refusal) {
	if r.code == codes.DeadlineExceeded {
		a.say("%s: no answer from %s in time", a.label("error"), a.server.address)
	} else {
		a.say("%s: cannot reach Dialtone at %s: %s", a.label("error"), a.server.address, cause(r.message))
	}
	var next []string
	switch {
	case strings.Contains(r.message, "first record does not look like a TLS handshake"):
		next = append(next, "that address does not speak TLS: check it; --insecure would send the token in clear text")
	case strings.Contains(r.message, "x509:"):
		next = append(next, "if an authority of your own has signed the server's certificate, name its file in SSL_CERT_FILE")
	case strings.Contains(r.message, "server preface"):
		next = append(next, "something else answers there: check host and port (localhost is called in clear text, all else by TLS)")
	case a.server.sandbox != nil:
		next = append(next, "the sandbox of "+a.server.sandbox.path+" is not running: go run ./cmd/sandbox")
	case r.code == codes.DeadlineExceeded:
		next = append(next, "give it longer with --timeout, or look whether the server is well")
	default:
		next = append(next, "set DIALTONE_ADDRESS (or --address) to the server's host:port, or start a sandbox: go run ./cmd/sandbox")
	}
	a.sayNext(append(next, a.repeatStep()...))
}

// cause is the last thing that gRPC says went wrong, without the layers around it.
func cause(message string) string {
	if at := strings.LastIndex(message, "desc = "); at >= 0 {
		message = strings.TrimPrefix(message[at+len("desc = "):], `"`)
		message = strings.ReplaceAll(strings.TrimSuffix(message, `"`), `\"`, `"`)
	}
	for _, layer := range []string{"transport: ", "Error while dialing: ", "authentication handshake failed: "} {
		message = strings.TrimPrefix(message, layer)
	}
	return message
}

// interrupted tells what Ctrl-C has left behind.
func (a *app) interrupted(err error) error {
	if end, ok := errors.AsType[*exitError](err); ok && end.code == exitInterrupted {
		return err
	}
	if _, ok := status.FromError(err); !ok && !errors.Is(err, context.Canceled) {
		return err
	}
	return &exitError{code: exitInterrupted, text: "interrupted", next: a.repeatStep()}
}

// flagOf is the flag from which a field came; a field without one is named by its path.
func (a *app) flagOf(field string) string {
	for path, flag := range a.fields {
		rest, ok := strings.CutPrefix(field, path)
		switch {
		case !ok:
		case rest == "":
			return flag
		case rest[0] == '[' || rest[0] == '.':
			return flag + " (" + field + ")"
		}
	}
	return field
}

// advise tells what may be done after a success; a program needs no advice.
func (a *app) advise(steps ...string) {
	if !a.json() {
		a.sayNext(steps)
	}
}

// sayNext writes what to do, one thing a line.
func (a *app) sayNext(steps []string) {
	for _, step := range steps {
		a.say("%s: %s", a.label("next"), step)
	}
}

func (a *app) label(text string) string {
	t := dim
	if text == "error" {
		t = red
	}
	return a.page(a.env.Err).paint(text, t)
}
