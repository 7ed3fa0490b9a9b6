package server

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/secret"
)

// Refusals of the door itself.
var (
	errMessageTooLarge = fault.New(fault.Invalid, "MESSAGE_TOO_LARGE",
		"The message is over 64 KiB. Send less at a time.")
	errTooMany = fault.New(fault.Exhausted, "RATE_LIMITED",
		"This process has too many calls at a time. Send the same request again shortly.").After(time.Second)
	errDraining = fault.New(fault.Unavailable, "TRY_AGAIN",
		"This process is going down. Call again: another one answers, and nothing is missed.").After(100 * time.Millisecond)
	errTooSlow = fault.New(fault.Unavailable, "TRY_AGAIN",
		"There was no answer in time. Send the same request again: that is safe, whether this one got through or not.").After(time.Second)
	errNotBuilt = fault.New(fault.Unbuilt, "NOT_BUILT",
		"This is in the schema and not built yet in this version.")
	errInternal = fault.New(fault.Internal, "INTERNAL",
		"Something of ours broke. Send the same request again a few times; if it stays so, tell the operators the incident_id.")
	errSubscriptionNotMobile = fault.New(fault.Conflict, "SUBSCRIPTION_NOT_MOBILE",
		"The subscription's plan is not a mobile one.")
	errNotApplicable = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"This makes no sense in the present state.")
)

// errorDomain stands in every ErrorInfo.
const errorDomain = "dialtone"

// violationsMax bounds what is told at once: statuses travel in headers.
const violationsMax = 50

// code is the one place where a kind of refusal becomes a code.
func code(kind fault.Kind) codes.Code {
	switch kind {
	case fault.Invalid:
		return codes.InvalidArgument
	case fault.NotFound:
		return codes.NotFound
	case fault.Exists:
		return codes.AlreadyExists
	case fault.Conflict:
		return codes.FailedPrecondition
	case fault.Unauthenticated:
		return codes.Unauthenticated
	case fault.Denied:
		return codes.PermissionDenied
	case fault.Exhausted:
		return codes.ResourceExhausted
	case fault.Unavailable:
		return codes.Unavailable
	case fault.Unbuilt:
		return codes.Unimplemented
	case fault.Internal:
	}
	return codes.Internal
}

// outward turns an error into the status that the caller sees: its public face and nothing
// else. What the caller does not see is logged here.
func (d *door) outward(ctx context.Context, c *call, err error) error {
	switch {
	case err == nil:
		return nil
	case access.Open(c.method) && fault.Of(err) == nil:
		// The services of gRPC's own speak for themselves.
		if _, ok := status.FromError(err); ok {
			return err
		}
	case errors.Is(ctx.Err(), context.Canceled):
		return status.FromContextError(ctx.Err()).Err()
	}
	f := d.face(ctx, c, err)
	return statusOf(f)
}

// face finds the fault that the caller is to see.
func (d *door) face(ctx context.Context, c *call, err error) *fault.Error {
	f := fault.Of(err)
	switch {
	case f != nil && f.Kind != fault.Internal && inSchema(f.Reason):
		if f.Unwrap() != nil {
			d.log.LogAttrs(ctx, slog.LevelWarn, "refused for a cause",
				slog.String("method", c.name()), slog.String("reason", f.Reason), cause(err))
		}
		return f
	case f == nil && status.Code(err) == codes.Unimplemented:
		// From the generated code, for a method that has no handler.
		return errNotBuilt.Saying(c.name() + " is in the schema and not built yet in this version. " +
			"Nothing was done. See the release notes for what is built.")
	case f == nil && errors.Is(err, context.DeadlineExceeded):
		return errTooSlow
	}
	incident := uuid.NewString()
	attributes := []slog.Attr{
		slog.String("method", c.name()), slog.String("incident_id", incident),
		slog.String("principal", string(c.caller.Principal)), slog.String("tenant", string(c.caller.Tenant)), cause(err),
	}
	if broken, ok := errors.AsType[*brokenError](err); ok {
		attributes = append(attributes, slog.String("stack", broken.stack))
	}
	d.log.LogAttrs(ctx, slog.LevelError, "broken", attributes...)
	return errInternal.With("incident_id", incident)
}

// cause is for operators; what looks like somebody's data is hidden from them too.
func cause(err error) slog.Attr {
	text := err.Error()
	if f := fault.Of(err); f != nil && f.Unwrap() != nil {
		text = f.Unwrap().Error()
	}
	return slog.String("cause", secret.Redact(text))
}

// inSchema tells whether callers can know a reason. What cannot is a fault between our own
// rooms that should not have come this far.
func inSchema(reason string) bool {
	_, ok := dialtonev1.ErrorReason_value["ERROR_REASON_"+reason]
	return ok
}

func statusOf(f *fault.Error) error {
	s := status.New(code(f.Kind), f.Public)
	details := []protoadapt.MessageV1{
		&errdetails.ErrorInfo{Reason: f.Reason, Domain: errorDomain, Metadata: f.Meta},
	}
	if len(f.Violations) > 0 {
		details = append(details, badRequest(f.Violations))
	}
	if f.Kind == fault.Conflict {
		details = append(details, precondition(f))
	}
	if f.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)})
	}
	detailed, err := s.WithDetails(details...)
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}

func badRequest(violations []fault.Violation) *errdetails.BadRequest {
	bad := &errdetails.BadRequest{}
	for _, v := range violations[:min(len(violations), violationsMax)] {
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: v.Field, Reason: v.Reason, Description: v.Text,
		})
	}
	return bad
}

func precondition(f *fault.Error) *errdetails.PreconditionFailure {
	subjects := []string{"activation_id", "subscription_id", "token_id"}
	i := slices.IndexFunc(subjects, func(key string) bool { return f.Meta[key] != "" })
	subject := ""
	if i >= 0 {
		subject = f.Meta[subjects[i]]
	}
	return &errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{
		{Type: f.Reason, Subject: subject, Description: f.Public},
	}}
}

// reasonOf reads the reason back from a status; empty when it has none.
func reasonOf(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == errorDomain {
			return info.GetReason()
		}
	}
	return ""
}
