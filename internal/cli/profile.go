package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// keepers run the installation or a tenant.
var keepers = callers{names: "OPERATOR or ADMIN", token: func(s *sandbox) string { return s.OperatorToken }}

func (a *app) profileCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "profile",
		Short: "Keep the stock of eSIMs, and see what became of each",
		Example: `  dialtone profile import --type DEMO-5G iccids.txt
  dialtone profile list --state leaked`,
		RunE: a.group,
	}
	group.AddCommand(a.profileImportCommand(), a.profileListCommand())
	return group
}

// profileFilter is which eSIMs a list holds, as its flags say it.
type profileFilter struct {
	tenant        string
	states        words[dialtonev1.ProfileState]
	installStates words[dialtonev1.InstallState]
	profileType   string
	iccid         string
	activation    string
	pages         pages
}

func (a *app) profileListCommand() *cobra.Command {
	filter := &profileFilter{}
	command := &cobra.Command{
		Use:   "list",
		Short: "List the eSIMs that are or were ours, ICCIDs in full",
		Long: `List the eSIMs that are or were ours, the newest change first, with their ICCIDs in full:
they are what the SM-DP+'s owner asks for. Filters are joined by "and", the values of one
filter by "or".

Those that leaked were ordered by type, and the answer was lost: nobody here knows their
ICCIDs. Settle them with the SM-DP+'s owner by the reference of the order.`,
		Example: `  dialtone profile list --state leaked
  dialtone profile list --state available --type DEMO-5G --all
  dialtone profile list --iccid 8901000000000000019 --output json | jq -r '.profiles[].activation_id'`,
		Args: arguments(),
	}
	filter.add(command)
	command.RunE = a.act(keepers, func(ctx context.Context, _ []string) error {
		a.fields = map[string]string{
			"tenant_id": "--tenant", "page_size": "--page-size", "page_token": "--page-token", "states": "--state",
			"profile_type": "--type", "iccid": "--iccid", "activation_id": "--activation", "install_states": "--install-state",
		}
		client := dialtonev1.NewAdminServiceClient(a.connection)
		shown := 0
		return a.turn(ctx, filter.pages, func(ctx context.Context, token string) (string, error) {
			response, err := client.ListProfiles(ctx, filter.request(token))
			if err != nil {
				return "", err
			}
			shown += len(response.GetProfiles())
			return response.GetNextPageToken(), a.answerPage(filter.pages, response, func(p *page) {
				p.profiles(response.GetProfiles())
				if response.GetNextPageToken() == "" || !filter.pages.all {
					p.linef("%s shown.", counted(int32(shown), "profile", "profiles"))
				}
			})
		})
	})
	return command
}

func (f *profileFilter) add(command *cobra.Command) {
	flags := command.Flags()
	f.states.many, f.installStates.many = true, true
	addTenant(command, &f.tenant)
	f.states.add(command, "state", "only in these states")
	f.installStates.add(command, "install-state", "only with the installation in these states")
	flags.StringVar(&f.profileType, "type", "", "only of this ES2+ profile type")
	flags.StringVar(&f.iccid, "iccid", "", "only the one with this ICCID, whole")
	flags.StringVar(&f.activation, "activation", "", "only what this activation holds, held or lost, by its id")
	f.pages.add(flags)
}

func (f *profileFilter) request(token string) *dialtonev1.ListProfilesRequest {
	return &dialtonev1.ListProfilesRequest{
		TenantId:      f.tenant,
		PageSize:      f.pages.size,
		PageToken:     token,
		States:        f.states.values,
		ProfileType:   f.profileType,
		Iccid:         f.iccid,
		ActivationId:  f.activation,
		InstallStates: f.installStates.values,
	}
}

// addTenant adds --tenant to a command of those who run a tenant.
func addTenant(command *cobra.Command, tenant *string) {
	command.Flags().StringVar(tenant, "tenant", "", "whose; required with an ADMIN token, any other has its own")
}

// profiles is a list.
func (p *page) profiles(all []*dialtonev1.InventoryProfile) {
	if len(all) == 0 {
		return
	}
	rows := []row{heading("ICCID", "TYPE", "STATE", "INSTALLATION", "CHANGED", "ACTIVATION", "FROM")}
	for _, profile := range all {
		r := row{cells: []cell{
			{text: profile.GetIccid()},
			{text: profile.GetProfileType()},
			{text: word(profile.GetState()), tone: profileTone(profile.GetState())},
			{text: word(profile.GetInstallState())},
			{text: exact(profile.GetUpdateTime())},
			{text: profile.GetActivationId()},
			{text: profileOrigin(profile)},
		}}
		if profile.GetIccid() == "" {
			r.cells[0] = cell{text: "not known", tone: dim}
		}
		if profile.GetDetail() != "" {
			r.notes = append(r.notes, profile.GetDetail())
		}
		if profile.GetState() == dialtonev1.ProfileState_PROFILE_STATE_LEAKED && profile.GetOrderReference() != "" {
			r.notes = append(r.notes, "Quote order "+profile.GetOrderReference())
		}
		rows = append(rows, r)
	}
	p.table("", rows)
}

func profileOrigin(profile *dialtonev1.InventoryProfile) string {
	if !profile.GetImported() {
		return "order by type"
	}
	return join(" ", "import", profile.GetSource())
}

func profileTone(state dialtonev1.ProfileState) tone {
	switch state {
	case dialtonev1.ProfileState_PROFILE_STATE_AVAILABLE:
		return green
	case dialtonev1.ProfileState_PROFILE_STATE_LEAKED:
		return red
	case dialtonev1.ProfileState_PROFILE_STATE_RETURNED, dialtonev1.ProfileState_PROFILE_STATE_RETIRED:
		return dim
	default:
		return plain
	}
}
