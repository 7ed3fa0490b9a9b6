package server_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func changed(a mobile.Activation, number, donor string) *dialtonev1.ChangeNumberRequest {
	return &dialtonev1.ChangeNumberRequest{
		RequestId: uuid.NewString(), ActivationId: string(a.ID), Revision: a.Port.Prompt.Revision, PortPhoneNumber: number, PortCarrier: donor,
	}
}

func TestChangeNumber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.refusedFor(t, b.a, 1, mobile.PortNumberUnknown)
	ctx := as(t.Context(), b.link(t, a))
	request := changed(a, " (212) 736-5099 ", "verizon wireless")

	first, err := b.portals.ChangeNumber(ctx, request)
	must(t, err)
	again, err := b.portals.ChangeNumber(ctx, request)
	must(t, err)

	if first.GetVerdict() != isAccepted || again.GetVerdict() != isAccepted || first.GetPrompt().GetKind() != none {
		t.Errorf("%v, %v", first, again)
	}
	now := storetest.Read(t, b.DB, a)
	if now.Port.Number != "+12127365099" || now.Port.Donor != "verizon" || now.Port.InfoPresent || now.Port.Refusals != 0 {
		t.Errorf("the port is %+v", now.Port)
	}
	request.PortCarrier = "att"
	_, err = b.portals.ChangeNumber(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})
}

// One of the two may stay as it is, and blanks are nothing.
func TestChangeNumber_OneOfTwo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for n, c := range map[int]struct{ number, donor, wantNumber, wantDonor string }{
		1: {"+1 212 736 5098", " ", "+12127365098", "att"},
		2: {"\t", "T-Mobile", portedNumber(2), "tmobile"},
		3: {"", "other", portedNumber(3), "other"},
	} {
		a := b.refusedFor(t, b.a, n, mobile.PortNotPortable)
		response, err := b.portals.ChangeNumber(as(t.Context(), b.a.backend()), changed(a, c.number, c.donor))
		must(t, err)
		now := storetest.Read(t, b.DB, a).Port
		if response.GetVerdict() != isAccepted || now.Number != c.wantNumber || string(now.Donor) != c.wantDonor {
			t.Errorf("%d: %s, and the port is %+v", n, response.GetVerdict(), now)
		}
	}
}

func TestChangeNumber_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, taken := b.askedFirst(t, b.a, 1), b.askedFirst(t, b.a, 2)
	device := b.asked(t, b.bringing(t, b.a, 3), mobile.Prompt{Kind: mobile.PromptCorrectDevice, Reason: "DEVICE_BLOCKED"})
	b.lineWith(t, b.a, portedNumber(70))
	line := b.launched(t, b.a)
	line.Port = &mobile.Port{Prompt: &mobile.Prompt{Revision: 1}}
	notOffered := refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE"}
	bad := func(field, reason string) refusal { return invalid(map[string]string{field: reason}) }

	for name, c := range map[string]struct {
		request *dialtonev1.ChangeNumberRequest
		want    refusal
	}{
		"nothing":             {changed(a, " ", "\u00a0"), bad("port_phone_number", "FIELD_REQUIRED")},
		"the same":            {changed(a, portedNumber(1), ""), bad("port_phone_number", "NUMBER_NOT_ANOTHER")},
		"the same, both":      {changed(a, portedNumber(1), "AT&T"), bad("port_phone_number", "NUMBER_NOT_ANOTHER")},
		"no number":           {changed(a, "call me", ""), bad("port_phone_number", "NUMBER_NOT_VALID")},
		"a Canadian one":      {changed(a, "+1 416 736 5000", ""), bad("port_phone_number", "NUMBER_NOT_US")},
		"toll-free":           {changed(a, "800 736 5000", ""), bad("port_phone_number", "NUMBER_TOLL_FREE")},
		"an unknown donor":    {changed(a, "", "Nobody Mobile"), bad("port_carrier", "DONOR_UNKNOWN")},
		"a donor of dots":     {changed(a, "", "..."), bad("port_carrier", "DONOR_UNKNOWN")},
		"a long donor":        {changed(a, "", strings.Repeat("att", 1000)), bad("port_carrier", "DONOR_UNKNOWN")},
		"on our own line":     {changed(a, portedNumber(70), ""), bad("port_phone_number", "SAME_NETWORK")},
		"being brought":       {changed(a, portedNumber(2), ""), refusal{Code: codes.AlreadyExists, Reason: "NUMBER_BEING_PORTED", Meta: map[string]string{"activation_id": string(taken.ID)}}},
		"when asked for else": {changed(device, portedNumber(9), ""), notOffered},
		"of a new line":       {changed(line, portedNumber(9), ""), notOffered},
		"empty": {&dialtonev1.ChangeNumberRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "revision": "FIELD_REQUIRED", "port_phone_number": "FIELD_REQUIRED",
		})},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.portals.ChangeNumber(as(t.Context(), b.a.backend()), c.request)
			wantRefusal(t, err, c.want)
		})
	}
	// A customer is not told who brings it.
	_, err := b.portals.ChangeNumber(as(t.Context(), b.link(t, a)), changed(a, portedNumber(2), ""))
	wantRefusal(t, err, refusal{Code: codes.AlreadyExists, Reason: "NUMBER_BEING_PORTED"})
	if refused(t, err).Meta["activation_id"] != "" || strings.Contains(err.Error(), string(taken.ID)) {
		t.Errorf("it tells %v", err)
	}
	if n := ask[int](t, b, `SELECT count(*) FROM requests WHERE method = 'ChangeNumber'`); n != 0 {
		t.Errorf("%d refusals were remembered", n)
	}
	if now := storetest.Read(t, b.DB, a); now.Port.ID != a.Port.ID || !now.Port.Prompt.Open() {
		t.Errorf("the port is %+v", now.Port)
	}
	// Another tenant's may bring the same: whose it is the carrier finds out.
	theirs := b.askedFirst(t, b.b, 4)
	response, err := b.portals.ChangeNumber(as(t.Context(), b.b.backend()), changed(theirs, portedNumber(2), ""))
	must(t, err)
	if response.GetVerdict() != isAccepted {
		t.Errorf("%v", response)
	}
}
