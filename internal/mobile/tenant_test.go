package mobile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func goodTenant() Tenant {
	return Tenant{
		ID: "lakeside", DisplayName: " Lakeside Fibre ", MailFrom: "Lakeside <mobile@lakeside.example>",
		SupportPhone: "+1 212 555 0100", SupportHours: "every day, 8-20 h Pacific",
		PortalURLTemplate: "https://portal.lakeside.example/m?t={token}", TimeZone: "America/Los_Angeles",
		Plans: []Plan{
			{Name: "mobile", Kind: PlanMobile, CarrierPlan: "M10", ProfileType: "P1"},
			{Name: "fibre", Kind: PlanInternet},
		},
	}
}

func TestNewTenant(t *testing.T) {
	t.Parallel()

	got, violations := NewTenant(goodTenant(), "")

	if len(violations) > 0 || got.DisplayName != "Lakeside Fibre" || got.Plans[0].Name != "fibre" {
		t.Errorf("%+v, %v", got, violations)
	}
}

func TestNewTenant_Refuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Tenant)
		want   map[string]string
	}{
		"empty": {func(t *Tenant) { *t = Tenant{} }, map[string]string{
			"tenant.tenant_id": "FIELD_REQUIRED", "tenant.display_name": "FIELD_REQUIRED", "tenant.mail_from": "FIELD_REQUIRED",
			"tenant.support_phone": "FIELD_REQUIRED", "tenant.support_hours": "FIELD_REQUIRED",
			"tenant.portal_url_template": "FIELD_REQUIRED", "tenant.time_zone": "FIELD_REQUIRED",
		}},
		"long": {func(t *Tenant) { t.DisplayName = strings.Repeat("a", 61) }, map[string]string{"tenant.display_name": "FIELD_TOO_LONG"}},
		"two lines": {
			func(t *Tenant) { t.SupportHours, t.MailFrom = "a\nb", "a@example.com\r\nBcc: b@example.com" },
			map[string]string{"tenant.support_hours": "FIELD_CONTROL_CHARACTER", "tenant.mail_from": "FIELD_CONTROL_CHARACTER"},
		},
		"local zone": {func(t *Tenant) { t.TimeZone = "Local" }, map[string]string{"tenant.time_zone": "FIELD_MALFORMED"}},
		"plans": {
			func(t *Tenant) {
				t.Plans = []Plan{{Name: "a", Kind: PlanMobile}, {Name: "a", Kind: PlanOther, ProfileType: "x"}, {}}
			},
			map[string]string{
				"tenant.plans[0].carrier_plan": "FIELD_REQUIRED", "tenant.plans[0].profile_type": "FIELD_REQUIRED",
				"tenant.plans[1].plan": "PLAN_TWICE", "tenant.plans[1].profile_type": "FIELD_NOT_ALLOWED",
				"tenant.plans[2].plan": "FIELD_REQUIRED", "tenant.plans[2].kind": "FIELD_REQUIRED",
			},
		},
		"many plans": {func(t *Tenant) { t.Plans = make([]Plan, 201) }, map[string]string{"tenant.plans": "FIELD_TOO_LONG"}},
	} {
		given := goodTenant()
		test.change(&given)
		_, violations := NewTenant(given, "tenant.")
		got := map[string]string{}
		for _, v := range violations {
			got[v.Field] = v.Reason
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestParsePortalURLTemplate(t *testing.T) {
	t.Parallel()
	for template, good := range map[string]bool{
		"https://portal.example.com/{token}":         true,
		"https://portal.example.com/m?a=b&t={token}": true,
		"http://127.0.0.1:7405/p/{token}":            true,
		"http://localhost:7405/p/{token}":            true,
		"http://portal.example.com/{token}":          false,
		"https://portal.example.com/":                false,
		"https://portal.example.com/{token}/{token}": false,
		"https://{token}.example.com/":               false,
		"https://user:secret@example.com/{token}":    false,
		"javascript:alert({token})":                  false,
		"https:///{token}":                           false,
		"https://portal.example.com/a b/{token}":     false,
	} {
		if _, refusal := ParsePortalURLTemplate(template); (refusal == nil) != good {
			t.Errorf("%s: %v", template, refusal)
		}
	}
}

func TestTenantIDFrom(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]TenantID{
		"Lakeside Fibre":          "lakeside-fibre",
		"  Bergé & Fils, S.A. ":   "berge-fils-s-a",
		"李":                       "",
		"---":                     "",
		strings.Repeat("ab ", 40): TenantID(strings.Repeat("ab-", 21) + "a"),
	} {
		got := TenantIDFrom(name)
		if got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
		if got != "" {
			if _, refusal := ParseID(string(got)); refusal != nil {
				t.Errorf("%q is no id", got)
			}
		}
	}
}
