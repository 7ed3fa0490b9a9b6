package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// badLaunch is a launch with something wrong in it, and the violations that it comes to.
type badLaunch struct {
	change func(*dialtonev1.LaunchWorkflowRequest, *mobileFields)
	want   map[string]string
}

func badLaunches() map[string]badLaunch {
	return map[string]badLaunch{
		"no IMEI":                {set(func(m *mobileFields) { m.Imei = "" }), bad("imei", "FIELD_REQUIRED")},
		"IMEI check digit":       {set(func(m *mobileFields) { m.Imei = "490154203237519" }), bad("imei", "IMEI_CHECK_DIGIT")},
		"IMEI all equal":         {set(func(m *mobileFields) { m.Imei = "000000000000000" }), bad("imei", "IMEI_ALL_EQUAL")},
		"IMEISV":                 {set(func(m *mobileFields) { m.Imei = "4901542032375186" }), bad("imei", "IMEI_IS_IMEISV")},
		"IMEI of letters":        {set(func(m *mobileFields) { m.Imei = "49015420323751X" }), bad("imei", "IMEI_NOT_DIGITS")},
		"IMEI short":             {set(func(m *mobileFields) { m.Imei = "49015420323751" }), bad("imei", "IMEI_LENGTH")},
		"IMEI of other digits":   {set(func(m *mobileFields) { m.Imei = "٤٩٠١٥٤٢٠٣٢٣٧٥١٨" }), bad("imei", "IMEI_NOT_DIGITS")},
		"no ZIP":                 {set(func(m *mobileFields) { m.ZipCode = "" }), bad("zip_code", "FIELD_REQUIRED")},
		"ZIP of letters":         {set(func(m *mobileFields) { m.ZipCode = "ABCDE" }), bad("zip_code", "ZIP_NOT_VALID")},
		"ZIP 00000":              {set(func(m *mobileFields) { m.ZipCode = "00000" }), bad("zip_code", "ZIP_NOT_IN_A_STATE")},
		"ZIP of no state":        {set(func(m *mobileFields) { m.ZipCode = "00100" }), bad("zip_code", "ZIP_NOT_IN_A_STATE")},
		"ZIP of the forces":      {set(func(m *mobileFields) { m.ZipCode = "09012" }), bad("zip_code", "ZIP_MILITARY")},
		"ZIP of six":             {set(func(m *mobileFields) { m.ZipCode = "100011" }), bad("zip_code", "ZIP_NOT_VALID")},
		"name with line break":   {set(func(m *mobileFields) { m.NameOverride = "Ann\nBcc: x" }), bad("name_override", "FIELD_CONTROL_CHARACTER")},
		"name with NUL":          {set(func(m *mobileFields) { m.NameOverride = "Ann\x00" }), bad("name_override", "FIELD_CONTROL_CHARACTER")},
		"name turned round":      {set(func(m *mobileFields) { m.NameOverride = "Ann\u202eeb" }), bad("name_override", "FIELD_INVISIBLE_CHARACTER")},
		"name of blanks":         {set(func(m *mobileFields) { m.NameOverride = "   " }), bad("name_override", "FIELD_BLANK")},
		"name of 10,000":         {set(func(m *mobileFields) { m.NameOverride = strings.Repeat("a", 10_000) }), bad("name_override", "FIELD_TOO_LONG")},
		"address with break":     {set(func(m *mobileFields) { m.EmailOverride = "a@example.com\r\nBcc: b@example.com" }), bad("email_override", "FIELD_CONTROL_CHARACTER")},
		"address turned round":   {set(func(m *mobileFields) { m.EmailOverride = "a\u200f@example.com" }), bad("email_override", "FIELD_INVISIBLE_CHARACTER")},
		"address of blanks":      {set(func(m *mobileFields) { m.EmailOverride = "  " }), bad("email_override", "FIELD_BLANK")},
		"address of 10,000":      {set(func(m *mobileFields) { m.EmailOverride = strings.Repeat("a", 10_000) + "@example.com" }), bad("email_override", "FIELD_TOO_LONG")},
		"two addresses":          {set(func(m *mobileFields) { m.EmailOverride = "a@example.com, b@example.com" }), bad("email_override", "EMAIL_NOT_ONE")},
		"no address":             {set(func(m *mobileFields) { m.EmailOverride = "ann" }), bad("email_override", "EMAIL_NOT_VALID")},
		"number without donor":   {set(func(m *mobileFields) { m.PortPhoneNumber = "+12125550123" }), bad("port_carrier", "PORT_FIELDS_TOGETHER")},
		"donor without number":   {set(func(m *mobileFields) { m.PortCarrier = "att" }), bad("port_phone_number", "PORT_FIELDS_TOGETHER")},
		"number from Canada":     {set(func(m *mobileFields) { m.PortPhoneNumber, m.PortCarrier = "+14165550123", "att" }), bad("port_phone_number", "NUMBER_NOT_US")},
		"no subscription":        {set(func(m *mobileFields) { m.SubscriptionId = "" }), bad("subscription_id", "FIELD_REQUIRED")},
		"id with a slash":        {set(func(m *mobileFields) { m.SubscriptionId = "a/b" }), bad("subscription_id", "FIELD_MALFORMED")},
		"id with an at":          {set(func(m *mobileFields) { m.SubscriptionId = "a@b" }), bad("subscription_id", "FIELD_MALFORMED")},
		"id with a space":        {set(func(m *mobileFields) { m.SubscriptionId = "a b" }), bad("subscription_id", "FIELD_MALFORMED")},
		"id that ends in a line": {set(func(m *mobileFields) { m.SubscriptionId = "ab\n" }), bad("subscription_id", "FIELD_MALFORMED")},
		"no workflow":            {func(r *dialtonev1.LaunchWorkflowRequest, _ *mobileFields) { r.Workflow = nil }, map[string]string{"workflow": "FIELD_REQUIRED"}},
		"empty oneof": {func(r *dialtonev1.LaunchWorkflowRequest, _ *mobileFields) {
			r.Workflow = &dialtonev1.LaunchWorkflowRequest_MobileActivation{}
		}, map[string]string{"mobile_activation.subscription_id": "FIELD_REQUIRED", "mobile_activation.imei": "FIELD_REQUIRED", "mobile_activation.zip_code": "FIELD_REQUIRED"}},
		"no request id":        {requestID(""), map[string]string{"request_id": "FIELD_REQUIRED"}},
		"nil request id":       {requestID("00000000-0000-0000-0000-000000000000"), map[string]string{"request_id": "FIELD_MALFORMED"}},
		"request id of words":  {requestID("please"), map[string]string{"request_id": "FIELD_MALFORMED"}},
		"request id in braces": {requestID("{2f1e4c1a-9d5b-4d8e-8a47-0c1f7f0c9a11}"), map[string]string{"request_id": "FIELD_MALFORMED"}},
		"an actor of billing":  {func(r *dialtonev1.LaunchWorkflowRequest, _ *mobileFields) { r.Actor = "Ann" }, map[string]string{"actor": "FIELD_NOT_ALLOWED"}},
		"everything at once": {
			func(r *dialtonev1.LaunchWorkflowRequest, m *mobileFields) {
				r.RequestId, m.SubscriptionId, m.Imei, m.ZipCode = "x", "a/b", "1", "x"
				m.NameOverride, m.EmailOverride, m.PortCarrier = " ", "x", "att"
			},
			map[string]string{
				"request_id": "FIELD_MALFORMED", "mobile_activation.subscription_id": "FIELD_MALFORMED",
				"mobile_activation.imei": "IMEI_LENGTH", "mobile_activation.zip_code": "ZIP_NOT_VALID",
				"mobile_activation.name_override": "FIELD_BLANK", "mobile_activation.email_override": "EMAIL_NOT_VALID",
				"mobile_activation.port_phone_number": "PORT_FIELDS_TOGETHER",
			},
		},
	}
}

func TestLaunch_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sub := b.pending(t, b.a)
	before := b.counts(t)

	for name, test := range badLaunches() {
		for _, validateOnly := range []bool{false, true} {
			request := launch(sub.ID)
			request.ValidateOnly = validateOnly
			test.change(request, request.GetMobileActivation())
			_, err := b.workflows.LaunchWorkflow(as(t.Context(), b.a.billing()), request)
			t.Run(name, func(t *testing.T) { wantRefusal(t, err, invalid(test.want)) })
		}
	}

	if diff := cmp.Diff(before, b.counts(t)); diff != "" {
		t.Errorf("something was made (-before +after):\n%s", diff)
	}
}

type mobileFields = dialtonev1.MobileActivation

func set(change func(*mobileFields)) func(*dialtonev1.LaunchWorkflowRequest, *mobileFields) {
	return func(_ *dialtonev1.LaunchWorkflowRequest, m *mobileFields) { change(m) }
}

func requestID(id string) func(*dialtonev1.LaunchWorkflowRequest, *mobileFields) {
	return func(r *dialtonev1.LaunchWorkflowRequest, _ *mobileFields) { r.RequestId = id }
}

func bad(field, reason string) map[string]string {
	return map[string]string{"mobile_activation." + field: reason}
}

// counts tells how many rows each table has. last_use of tokens moves, their number does not.
func (b *bundle) counts(t *testing.T) map[string]int64 {
	t.Helper()
	conn := b.Connect(t)
	rows, err := conn.Query(t.Context(), `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
	must(t, err)
	var tables []string
	for rows.Next() {
		var table string
		must(t, rows.Scan(&table))
		tables = append(tables, table)
	}
	must(t, rows.Err())
	counts := make(map[string]int64)
	for _, table := range tables {
		var n int64
		must(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
		counts[table] = n
	}
	return counts
}
