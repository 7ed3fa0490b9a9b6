package cli

import (
	"context"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) tenantCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "tenant",
		Short: "Keep the providers that use this installation",
		Example: `  dialtone tenant show demo
  dialtone tenant create --file tenant.json`,
		RunE: a.group,
	}
	group.AddCommand(a.tenantCreateCommand(), a.tenantShowCommand(), a.tenantUpdateCommand())
	return group
}

const tenantFileHelp = `The file holds a tenant as "tenant show --output json" prints it; - is stdin. Flags go
before the file:

  {
    "tenant_id": "demo",
    "display_name": "Demo Mobile",
    "mail_from": "Demo Mobile <mail@demo.example>",
    "support_phone": "1-800-555-0100",
    "support_hours": "every day, 8-20 h Pacific",
    "portal_url_template": "https://portal.demo.example/?t={token}",
    "time_zone": "America/Los_Angeles",
    "plans": [{"plan": "mobile-5g", "kind": "PLAN_KIND_MOBILE",
               "carrier_plan": "CP-5G", "profile_type": "DEMO-5G"}]
  }`

func (a *app) tenantCreateCommand() *cobra.Command {
	settings := &tenantSettings{}
	var dryRun bool
	command := &cobra.Command{
		Use:   "create",
		Short: "Add a provider",
		Long:  "Add a provider.\n\n" + tenantFileHelp,
		Example: `  dialtone tenant create --file tenant.json
  dialtone tenant create --id demo --display-name "Demo Mobile" --mail-from mail@demo.example \
      --support-phone 1-800-555-0100 --support-hours "every day, 8-20 h Pacific" \
      --portal-url 'https://portal.demo.example/?t={token}' --time-zone America/Los_Angeles \
      --plan name=mobile-5g,kind=mobile,carrier-plan=CP-5G,profile-type=DEMO-5G`,
		Args: arguments(),
	}
	command.Flags().StringVar(&settings.flags.TenantId, "id", "", "its identifier, for ever (made from the name if absent)")
	settings.add(command)
	command.Flags().BoolVar(&dryRun, "dry-run", false, "check everything, keep nothing")
	requestID := a.newRequest(command)
	command.RunE = a.act(admin, func(ctx context.Context, _ []string) error {
		tenant, _, err := settings.read(a, command)
		if err != nil {
			return err
		}
		response, err := dialtonev1.NewAdminServiceClient(a.connection).CreateTenant(ctx, &dialtonev1.CreateTenantRequest{
			RequestId:         requestID(!dryRun),
			ValidateOnly:      dryRun,
			TenantId:          tenant.GetTenantId(),
			DisplayName:       tenant.GetDisplayName(),
			MailFrom:          tenant.GetMailFrom(),
			MailReplyTo:       tenant.GetMailReplyTo(),
			SupportPhone:      tenant.GetSupportPhone(),
			SupportHours:      tenant.GetSupportHours(),
			PortalUrlTemplate: tenant.GetPortalUrlTemplate(),
			TimeZone:          tenant.GetTimeZone(),
			Plans:             tenant.GetPlans(),
		})
		if err != nil {
			return err
		}
		return a.answer(response, func(p *page) { p.tenantAfter(response.GetTenant(), dryRun) })
	})
	return command
}

func (a *app) tenantUpdateCommand() *cobra.Command {
	settings := &tenantSettings{}
	var dryRun bool
	command := &cobra.Command{
		Use:   "update TENANT",
		Short: "Change a provider's settings",
		Long: `Change a provider's settings: those that flags give (also to nothing), and those that
the file has a value for. Plans are replaced as a whole.

` + tenantFileHelp,
		Example: `  dialtone tenant update demo --support-phone 1-800-555-0199
  dialtone tenant show demo --output json > tenant.json
  dialtone tenant update demo --file tenant.json --dry-run`,
		Args: arguments("a tenant"),
	}
	settings.add(command)
	command.Flags().BoolVar(&dryRun, "dry-run", false, "check everything, keep nothing")
	requestID := a.newRequest(command)
	command.RunE = a.act(admin, func(ctx context.Context, args []string) error {
		tenant, mask, err := settings.read(a, command)
		if err != nil {
			return err
		}
		if named := tenant.GetTenantId(); named != "" && named != args[0] {
			return &usageError{text: "the file is of tenant " + named + ", not of " + args[0], help: "dialtone tenant update --help"}
		}
		if len(mask) == 0 {
			return &usageError{text: "nothing to change: give --file or a setting", help: "dialtone tenant update --help"}
		}
		tenant.TenantId = args[0]
		response, err := dialtonev1.NewAdminServiceClient(a.connection).UpdateTenant(ctx, &dialtonev1.UpdateTenantRequest{
			RequestId:    requestID(!dryRun),
			ValidateOnly: dryRun,
			Tenant:       tenant,
			UpdateMask:   &fieldmaskpb.FieldMask{Paths: mask},
		})
		if err != nil {
			return err
		}
		return a.answer(response, func(p *page) { p.tenantAfter(response.GetTenant(), dryRun) })
	})
	return command
}

func (a *app) tenantShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show [TENANT]",
		Short: "A provider's settings and plans",
		Long: `A provider's settings and plans. Without a name: the sandbox's, or the one that the token
belongs to.`,
		Example: `  dialtone tenant show demo
  dialtone tenant show demo --output json > tenant.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: a.act(admin, func(ctx context.Context, args []string) error {
			a.fields = map[string]string{"tenant_id": "TENANT"}
			request := &dialtonev1.GetTenantRequest{}
			if len(args) > 0 {
				request.TenantId = args[0]
			} else if a.server.sandbox != nil {
				request.TenantId = a.server.sandbox.Tenant
			}
			response, err := dialtonev1.NewAdminServiceClient(a.connection).GetTenant(ctx, request)
			if err != nil {
				return err
			}
			return a.answer(response, func(p *page) { p.tenant(response.GetTenant()) })
		}),
	}
}

// tenantAfter shows a tenant after a change, or what a trial would make of it.
func (p *page) tenantAfter(t *dialtonev1.Tenant, trial bool) {
	if trial {
		p.linef("It would be accepted. Nothing was kept.")
	}
	p.tenant(t)
}

func (p *page) tenant(t *dialtonev1.Tenant) {
	p.facts(
		fact{name: "Tenant", value: t.GetTenantId()},
		fact{name: "Name", value: t.GetDisplayName()},
		fact{name: "Mail from", value: t.GetMailFrom()},
		fact{name: "Replies to", value: t.GetMailReplyTo()},
		fact{name: "Support", value: join(", ", t.GetSupportPhone(), t.GetSupportHours())},
		fact{name: "Portal", value: t.GetPortalUrlTemplate()},
		fact{name: "Time zone", value: t.GetTimeZone()},
		fact{name: "Created", value: p.when(t.GetCreateTime())},
		fact{name: "Changed", value: p.when(t.GetUpdateTime())},
	)
	if len(t.GetPlans()) == 0 {
		return
	}
	p.title("Plans")
	rows := []row{heading("PLAN", "KIND", "CARRIER PLAN", "PROFILE TYPE")}
	for _, plan := range t.GetPlans() {
		rows = append(rows, row{cells: cells(plan.GetPlan(), word(plan.GetKind()), plan.GetCarrierPlan(), plan.GetProfileType())})
	}
	p.table("  ", rows)
}
