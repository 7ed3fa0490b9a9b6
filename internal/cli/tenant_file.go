package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// fileBytesMax bounds a tenant's file; the server takes no message over 64 KiB.
const fileBytesMax = 1 << 20

// tenantSettings are a tenant's settings as flags and a file give them.
type tenantSettings struct {
	file  string
	flags dialtonev1.Tenant
	plans plans
}

// tenantFlags gives the field of each flag.
var tenantFlags = map[string]protoreflect.Name{
	"id":            "tenant_id",
	"display-name":  "display_name",
	"mail-from":     "mail_from",
	"mail-reply-to": "mail_reply_to",
	"support-phone": "support_phone",
	"support-hours": "support_hours",
	"portal-url":    "portal_url_template",
	"time-zone":     "time_zone",
	"plan":          "plans",
}

func (s *tenantSettings) add(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&s.file, "file", "", "read the settings from this JSON file")
	flags.StringVar(&s.flags.DisplayName, "display-name", "", "its name as customers know it")
	flags.StringVar(&s.flags.MailFrom, "mail-from", "", `the sender of its e-mails: an address, or "Name <address>"`)
	flags.StringVar(&s.flags.MailReplyTo, "mail-reply-to", "", "where replies go (default to the sender)")
	flags.StringVar(&s.flags.SupportPhone, "support-phone", "", "its support number, as customers dial it")
	flags.StringVar(&s.flags.SupportHours, "support-hours", "", "when that is answered, in words")
	flags.StringVar(&s.flags.PortalUrlTemplate, "portal-url", "", `where customers are sent: an address with "{token}" in it`)
	flags.StringVar(&s.flags.TimeZone, "time-zone", "", "its time zone, as America/Los_Angeles")
	flags.Var(&s.plans, "plan", "a plan, as name=mobile-5g,kind=mobile,carrier-plan=CP-5G,profile-type=DEMO-5G; once for each")
}

// read puts file and flags together, and names the fields that they give. It also notes
// which flag each field came from.
func (s *tenantSettings) read(a *app, command *cobra.Command) (*dialtonev1.Tenant, []string, error) {
	tenant := &dialtonev1.Tenant{}
	if s.file != "" {
		var err error
		if tenant, err = readTenant(a.env.In, s.file); err != nil {
			return nil, nil, &usageError{text: err.Error(), help: command.CommandPath() + " --help"}
		}
	}
	s.flags.Plans = s.plans.all
	given, into := s.flags.ProtoReflect(), tenant.ProtoReflect()
	var mask []string
	a.fields = map[string]string{"request_id": "--request-id"}
	fields := into.Descriptor().Fields()
	for flag, name := range tenantFlags {
		field := fields.ByName(name)
		changed := command.Flags().Changed(flag)
		if changed {
			into.Set(field, given.Get(field))
		}
		// Without a file, also a missing field is one that a flag should have given.
		if changed || s.file == "" {
			a.fields[string(name)], a.fields["tenant."+string(name)] = "--"+flag, "--"+flag
		}
		if name != "tenant_id" && (changed || into.Has(field)) {
			mask = append(mask, string(name))
		}
	}
	slices.Sort(mask) // A repeat must be the same request.
	return tenant, mask, nil
}

// readTenant reads a tenant, or the answer of GetTenant around it. Its times are dropped:
// they are not for callers to set.
func readTenant(stdin io.Reader, path string) (*dialtonev1.Tenant, error) {
	from := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open the tenant's file: %w", err)
		}
		defer file.Close()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, fileBytesMax))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var around struct {
		Tenant json.RawMessage `json:"tenant"`
	}
	if json.Unmarshal(data, &around) == nil && around.Tenant != nil {
		data = around.Tenant
	}
	tenant := &dialtonev1.Tenant{}
	if err := protojson.Unmarshal(data, tenant); err != nil {
		return nil, fmt.Errorf("%s is not a tenant as JSON: %w", path, err)
	}
	tenant.CreateTime, tenant.UpdateTime = nil, nil
	return tenant, nil
}

// plans is a flag that may be given for each plan.
type plans struct{ all []*dialtonev1.Plan }

// Set reads one plan.
func (l *plans) Set(text string) error {
	plan := &dialtonev1.Plan{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "name":
			plan.Plan = value
		case "kind":
			kind, err := parseWord[dialtonev1.PlanKind](value)
			if err != nil {
				return fmt.Errorf("kind: %w", err)
			}
			plan.Kind = kind
		case "carrier-plan":
			plan.CarrierPlan = value
		case "profile-type":
			plan.ProfileType = value
		default:
			return fmt.Errorf("a plan has name, kind, carrier-plan and profile-type, but no %q", key)
		}
	}
	l.all = append(l.all, plan)
	return nil
}

// String lists the plans' names.
func (l *plans) String() string {
	var names []string
	for _, plan := range l.all {
		names = append(names, plan.GetPlan())
	}
	return strings.Join(names, ",")
}

// Type stands in the help text.
func (l *plans) Type() string { return "plan" }
