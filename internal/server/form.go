package server

import (
	"regexp"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// form reads the fields of a request into the domain's values and gathers what is wrong
// with them, so that one answer names every bad field.
type form struct {
	violations []fault.Violation
}

// refuse notes a bad field.
func (f *form) refuse(field, reason, text string) {
	f.violations = append(f.violations, fault.Violation{Field: field, Reason: reason, Text: text})
}

func (f *form) take(field string, v *mobile.Refusal) {
	if v != nil {
		f.refuse(field, v.Reason, v.Text)
	}
}

// err is the refusal of all bad fields; nil when there are none.
func (f *form) err() error {
	if len(f.violations) == 0 {
		return nil
	}
	return fault.InvalidFields(f.violations)
}

// Bounds of what callers write in their own words, in characters.
const (
	reasonLengthMax = 500
	actorLengthMax  = 100
)

var (
	uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	nilUUID  = "00000000-0000-0000-0000-000000000000"
)

// requestID reads the request_id.
func (f *form) requestID(s string) string {
	id := f.uuid("request_id", s)
	if id == nilUUID {
		f.refuse("request_id", "FIELD_MALFORMED", "The nil UUID is no request's. Draw a random UUID for each intent.")
		return ""
	}
	return id
}

// uuid reads a UUID in its canonical form, in either case.
func (f *form) uuid(field, s string) string {
	s = strings.Trim(s, " ")
	switch {
	case s == "":
		f.refuse(field, "FIELD_REQUIRED", "This field is required: a UUID.")
	case !uuidForm.MatchString(s):
		f.refuse(field, "FIELD_MALFORMED", "This is not a UUID such as 2f1e4c1a-9d5b-4d8e-8a47-0c1f7f0c9a11.")
	default:
		return strings.ToLower(s)
	}
	return ""
}

// activation reads the id of an activation.
func (f *form) activation(field, s string) mobile.ActivationID {
	return mobile.ActivationID(f.uuid(field, s))
}

// optionalActivation leaves an empty field empty.
func (f *form) optionalActivation(field, s string) mobile.ActivationID {
	if s == "" {
		return ""
	}
	return f.activation(field, s)
}

func (f *form) subscription(field, s string) mobile.SubscriptionID {
	id, v := mobile.ParseSubscriptionID(s)
	f.take(field, v)
	return id
}

func (f *form) optionalSubscription(field, s string) mobile.SubscriptionID {
	if s == "" {
		return ""
	}
	return f.subscription(field, s)
}

// id reads an identifier of a caller's choice.
func (f *form) id(field, s string) string {
	id, v := mobile.ParseID(s)
	f.take(field, v)
	return id
}

func (f *form) optionalID(field, s string) string {
	if s == "" {
		return ""
	}
	return f.id(field, s)
}

// text reads words on one line.
func (f *form) text(field, s string, lengthMax int) string {
	text, v := mobile.ParseText(s, lengthMax)
	f.take(field, v)
	return text
}

// required refuses an empty field and parses any other.
func (f *form) required(field, s string, parse func(string) (string, *mobile.Refusal)) string {
	if s == "" {
		f.refuse(field, "FIELD_REQUIRED", "This field is required.")
		return ""
	}
	value, v := parse(s)
	f.take(field, v)
	return value
}

// reason reads why something is done, in the caller's words.
func (f *form) reason(s string) string { return f.text("reason", s, reasonLengthMax) }

// authentication reads how the customer was authenticated. It is required where what is done
// could hand the customer's line to somebody else.
func (f *form) authentication(s string, required bool) string {
	switch {
	case s == "" && !required:
		return ""
	case s == "":
		f.refuse("authentication", "FIELD_REQUIRED", "Say how the customer was authenticated: whoever has the e-mail has the line.")
		return ""
	}
	return f.text("authentication", s, reasonLengthMax)
}

// actor reads the person whom a console names; nobody else may name one.
func (f *form) actor(caller access.Caller, s string) string {
	if caller.Principal == mobile.PrincipalConsole {
		return f.text("actor", s, actorLengthMax)
	}
	if s != "" {
		f.refuse("actor", "FIELD_NOT_ALLOWED", "Only a console names the person it speaks for. Leave this field out.")
	}
	return ""
}

// revision reads the revision that a command was decided on.
func (f *form) revision(n int64) int64 {
	if n < 0 {
		f.refuse("revision", "FIELD_MALFORMED", "A revision is a positive number, or 0 for any.")
	}
	return n
}

// time reads an instant; zero when it is unset.
func (f *form) time(field string, t *timestamppb.Timestamp) time.Time {
	switch {
	case t == nil:
		return time.Time{}
	case t.CheckValid() != nil:
		f.refuse(field, "FIELD_MALFORMED", "This instant does not exist.")
		return time.Time{}
	}
	// The record keeps microseconds.
	return t.AsTime().Truncate(time.Microsecond)
}

// tenant reads whose things a call is about. ADMIN names a tenant; all others have one, and
// any other answers like one that does not exist.
func (f *form) tenant(caller access.Caller, field, s string) (mobile.TenantID, error) {
	switch {
	case caller.Principal == mobile.PrincipalAdmin:
		return mobile.TenantID(f.id(field, s)), nil
	case s != "" && mobile.TenantID(s) != caller.Tenant:
		return "", store.ErrTenantNotFound
	}
	return caller.Tenant, nil
}
