package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// workflowFilter is which activations a list holds, as its flags say it.
type workflowFilter struct {
	states        words[dialtonev1.WorkflowState]
	portStates    words[dialtonev1.PortState]
	installStates words[dialtonev1.InstallState]
	severity      words[dialtonev1.Severity]
	kind          words[dialtonev1.WorkflowType]
	order         words[dialtonev1.WorkflowOrder]
	step          string
	reason        string
	donor         string
	account       string
	subscription  string
	olderThan     time.Duration
	stuck         bool
	needsOperator bool
	open          bool
	from, until   instant
	full          bool
	pages         pages
}

func (a *app) workflowListCommand() *cobra.Command {
	filter := &workflowFilter{}
	command := &cobra.Command{
		Use:   "list",
		Short: "List activations",
		Long: `List activations, newest first. Filters are joined by "and", the values of one filter by
"or".`,
		Example: `  dialtone workflow list --needs-operator
  dialtone workflow list --open --state waiting-for-customer,waiting-for-carrier --older-than 48h
  dialtone workflow list --stuck --output json | jq -r '.workflows[].activation_id'`,
		Args: arguments(),
	}
	filter.add(command)
	command.RunE = a.act(staff, func(ctx context.Context, _ []string) error {
		a.fields = workflowFilterFields
		client := dialtonev1.NewWorkflowServiceClient(a.connection)
		return a.turn(ctx, filter.pages, func(ctx context.Context, token string) (string, error) {
			response, err := client.ListWorkflows(ctx, filter.request(token))
			if err != nil {
				return "", err
			}
			return response.GetNextPageToken(), a.answerPage(filter.pages, response, func(p *page) { p.workflows(response.GetWorkflows()) })
		})
	})
	return command
}

// workflowFilterFields are those whose flags do not bear the field's own name.
var workflowFilterFields = map[string]string{
	"page_size": "--page-size", "page_token": "--page-token", "states": "--state", "step": "--step",
	"reason": "--reason", "donor": "--donor", "port_states": "--port-state", "install_states": "--install-state",
	"account_id": "--account", "subscription_id": "--subscription", "older_than": "--older-than",
	"create_time_from": "--from", "create_time_until": "--until", "order": "--order",
}

func (f *workflowFilter) add(command *cobra.Command) {
	flags := command.Flags()
	f.states.many, f.portStates.many, f.installStates.many = true, true, true
	f.states.add(command, "state", "only in these states")
	flags.BoolVar(&f.open, "open", false, "only those that have not ended")
	flags.BoolVar(&f.needsOperator, "needs-operator", false, "only those with an open item for an operator, ended ones included")
	flags.BoolVar(&f.stuck, "stuck", false, "only open ones that do not move")
	f.severity.add(command, "severity", "only those whose worst open item is this bad")
	flags.StringVar(&f.step, "step", "", "only those at this step")
	flags.StringVar(&f.reason, "reason", "", "only with this reason code now, on the activation, its step or its port")
	flags.StringVar(&f.account, "account", "", "only of this account")
	flags.StringVar(&f.subscription, "subscription", "", "only of this subscription")
	f.kind.add(command, "type", "only of this type")
	flags.StringVar(&f.donor, "donor", "", "only ports from this donor, by its code")
	f.portStates.add(command, "port-state", "only with the port in these states")
	f.installStates.add(command, "install-state", "only with the installation in these states")
	flags.DurationVar(&f.olderThan, "older-than", 0, "only those in their present state for longer than this, as 90m or 48h")
	flags.Var(&f.from, "from", "only those accepted at or after this time or date (UTC)")
	flags.Var(&f.until, "until", "only those accepted before this time or date (UTC)")
	f.order.add(command, "order", "the order")
	flags.BoolVar(&f.full, "full", false, "with --output json: everything of each, steps and items too")
	f.pages.add(flags)
}

func (f *workflowFilter) request(token string) *dialtonev1.ListWorkflowsRequest {
	request := &dialtonev1.ListWorkflowsRequest{
		PageSize:        f.pages.size,
		PageToken:       token,
		States:          f.states.values,
		Step:            f.step,
		Reason:          f.reason,
		Donor:           f.donor,
		PortStates:      f.portStates.values,
		InstallStates:   f.installStates.values,
		AccountId:       f.account,
		SubscriptionId:  f.subscription,
		Stuck:           f.stuck,
		NeedsOperator:   f.needsOperator,
		Severity:        f.severity.value(),
		Type:            f.kind.value(),
		Open:            f.open,
		CreateTimeFrom:  f.from.at,
		CreateTimeUntil: f.until.at,
		Order:           f.order.value(),
		View:            dialtonev1.WorkflowView_WORKFLOW_VIEW_BASIC,
	}
	if f.olderThan > 0 {
		request.OlderThan = durationpb.New(f.olderThan)
	}
	if f.full {
		request.View = dialtonev1.WorkflowView_WORKFLOW_VIEW_FULL
	}
	return request
}

// workflows is a list.
func (p *page) workflows(all []*dialtonev1.Workflow) {
	if len(all) == 0 {
		p.linef("No activations.")
		return
	}
	rows := []row{heading("ACTIVATION", "SUBSCRIPTION", "STATE", "FOR", "STEP", "DUE", "SEVERITY", portHeading(all), "WHY")}
	for _, w := range all {
		due := cell{text: p.dueShort(w.GetDeadline())}
		if p.overdue(w.GetDeadline()) {
			due.tone = red
		}
		rows = append(rows, row{cells: []cell{
			{text: w.GetActivationId()},
			{text: w.GetSubscriptionId()},
			{text: word(w.GetState()), tone: stateTone(w.GetState())},
			{text: p.age(w.GetSince())},
			{text: w.GetCurrentStep()},
			due,
			{text: word(w.GetSeverity()), tone: severityTone(w.GetSeverity())},
			{text: join(", ", word(w.GetPort().GetState()), w.GetPort().GetDonor()), tone: portTone(w.GetPort().GetState())},
			{text: w.GetReason()},
		}})
	}
	p.table("", rows)
}

// portHeading is empty where no number is brought: the column then takes no room.
func portHeading(all []*dialtonev1.Workflow) string {
	if !slices.ContainsFunc(all, func(w *dialtonev1.Workflow) bool { return w.GetPort() != nil }) {
		return ""
	}
	return "PORT"
}

// counted is a number and its noun: "1 try", "3 tries".
func counted(n int32, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
