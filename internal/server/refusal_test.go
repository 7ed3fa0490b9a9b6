package server_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refusal is what a caller can read from an error.
type refusal struct {
	Code   codes.Code
	Reason string
	Meta   map[string]string
	// Violations are the reasons by field.
	Violations map[string]string
}

func refused(t *testing.T, err error) refusal {
	t.Helper()
	s, ok := status.FromError(err)
	if !ok || err == nil {
		t.Fatalf("not a refusal: %v", err)
	}
	r := refusal{Code: s.Code()}
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() != "dialtone" {
				t.Errorf("the domain is %q", d.GetDomain())
			}
			r.Reason, r.Meta = d.GetReason(), d.GetMetadata()
		case *errdetails.BadRequest:
			r.Violations = make(map[string]string)
			for _, v := range d.GetFieldViolations() {
				if v.GetDescription() == "" {
					t.Errorf("%s is refused without a word", v.GetField())
				}
				r.Violations[v.GetField()] = v.GetReason()
			}
		}
	}
	if r.Reason == "" || s.Message() == "" {
		t.Errorf("a refusal without reason or words: %v", err)
	}
	return r
}

// wantRefusal compares code and reason, and metadata and violations where they are given.
func wantRefusal(t *testing.T, err error, want refusal) {
	t.Helper()
	got := refused(t, err)
	if want.Meta == nil {
		got.Meta = nil
	}
	if want.Violations == nil {
		got.Violations = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refusal %v (-want +got):\n%s", err, diff)
	}
}

// invalid is a refusal of fields.
func invalid(violations map[string]string) refusal {
	return refusal{Code: codes.InvalidArgument, Reason: "INVALID_FIELDS", Violations: violations}
}

// refusedDetails are all that an error carries, as text.
func refusedDetails(err error) []string {
	var all []string
	for _, detail := range status.Convert(err).Details() {
		all = append(all, fmt.Sprint(detail))
	}
	return all
}
