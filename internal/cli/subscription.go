package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) subscriptionCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "subscription",
		Short: "Keep the subscriptions that activations turn active",
		Example: `  dialtone subscription list --status pending
  dialtone subscription show sub-1001`,
		RunE: a.group,
	}
	group.AddCommand(a.subscriptionCreateCommand(), a.subscriptionShowCommand(), a.subscriptionListCommand(), a.subscriptionCancelCommand())
	return group
}

func (a *app) subscriptionCreateCommand() *cobra.Command {
	request := &dialtonev1.CreateSubscriptionRequest{}
	command := &cobra.Command{
		Use:   "create",
		Short: "Record a subscription, pending until activated",
		Example: `  dialtone subscription create --id sub-1001 --account acct-7 \
      --name "Jane Doe" --email jane@example.com --plan mobile-5g
  dialtone subscription create --account acct-7 --name "Jane Doe" \
      --email jane@example.com --plan mobile-5g --dry-run`,
		Args: arguments(),
	}
	flags := command.Flags()
	flags.StringVar(&request.SubscriptionId, "id", "", "its identifier, your own, nothing personal (made if absent)")
	flags.StringVar(&request.AccountId, "account", "", "your identifier of the customer's account")
	flags.StringVar(&request.CustomerName, "name", "", "the customer's name")
	flags.StringVar(&request.CustomerEmail, "email", "", "the customer's e-mail address")
	flags.StringVar(&request.Plan, "plan", "", "a plan of the tenant's table")
	flags.BoolVar(&request.PendingUntilActivated, "pending-until-activated", true, "pending until a Mobile Activation has its line live; =false makes it active at once")
	flags.BoolVar(&request.ValidateOnly, "dry-run", false, "check everything, keep nothing")
	require(command, "account", "name", "email", "plan")
	requestID := a.newRequest(command)
	command.RunE = a.act(billing, func(ctx context.Context, _ []string) error {
		a.fields = map[string]string{
			"subscription_id": "--id", "account_id": "--account", "customer_name": "--name",
			"customer_email": "--email", "plan": "--plan", "request_id": "--request-id",
		}
		request.RequestId = requestID(!request.GetValidateOnly())
		response, err := dialtonev1.NewSubscriptionServiceClient(a.connection).CreateSubscription(ctx, request)
		if err != nil {
			return err
		}
		return a.answer(response, func(p *page) {
			if request.GetValidateOnly() {
				p.linef("It would be accepted. Nothing was kept.")
			}
			p.subscription(response.GetSubscription())
		})
	})
	return command
}

func (a *app) subscriptionShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show SUBSCRIPTION",
		Short:   "One subscription",
		Example: `  dialtone subscription show sub-1001`,
		Args:    arguments("a subscription"),
		RunE: a.act(staff, func(ctx context.Context, args []string) error {
			a.fields = map[string]string{"subscription_id": "SUBSCRIPTION"}
			response, err := dialtonev1.NewSubscriptionServiceClient(a.connection).GetSubscription(ctx, &dialtonev1.GetSubscriptionRequest{SubscriptionId: args[0]})
			if err != nil {
				return err
			}
			return a.answer(response, func(p *page) { p.subscription(response.GetSubscription()) })
		}),
	}
}

func (a *app) subscriptionListCommand() *cobra.Command {
	var account string
	var status words[dialtonev1.SubscriptionStatus]
	var kind words[dialtonev1.PlanKind]
	var g pages
	command := &cobra.Command{
		Use:   "list",
		Short: "List subscriptions, newest first",
		Example: `  dialtone subscription list --status pending
  dialtone subscription list --account acct-7 --all`,
		Args: arguments(),
	}
	command.Flags().StringVar(&account, "account", "", "only of this account")
	status.add(command, "status", "only with this status")
	kind.add(command, "plan-kind", "only of plans of this kind")
	g.add(command.Flags())
	command.RunE = a.act(staff, func(ctx context.Context, _ []string) error {
		a.fields = map[string]string{"page_size": "--page-size", "page_token": "--page-token", "account_id": "--account"}
		client := dialtonev1.NewSubscriptionServiceClient(a.connection)
		return a.turn(ctx, g, func(ctx context.Context, token string) (string, error) {
			response, err := client.ListSubscriptions(ctx, &dialtonev1.ListSubscriptionsRequest{
				PageSize:  g.size,
				PageToken: token,
				AccountId: account,
				Status:    status.value(),
				PlanKind:  kind.value(),
			})
			if err != nil {
				return "", err
			}
			return response.GetNextPageToken(), a.answerPage(g, response, func(p *page) { p.subscriptions(response.GetSubscriptions()) })
		})
	})
	return command
}

func (a *app) subscriptionCancelCommand() *cobra.Command {
	request := &dialtonev1.CancelSubscriptionRequest{}
	command := &cobra.Command{
		Use:   "cancel SUBSCRIPTION",
		Short: "Give up a pending subscription, and stop its activation",
		Long: `Give up a pending subscription, and ask the open activation on it, if there is one, to
stop. An active subscription is refused: taking a line down is another workflow.`,
		Example: `  dialtone subscription cancel sub-1001 --reason "ordered twice"`,
		Args:    arguments("a subscription"),
	}
	addReason(command, &request.Reason, "why, in your own words; operators see it, so nothing personal")
	requestID := a.newRequest(command)
	command.RunE = a.act(billing, func(ctx context.Context, args []string) error {
		a.fields = map[string]string{"subscription_id": "SUBSCRIPTION", "reason": "--reason", "request_id": "--request-id"}
		request.RequestId, request.SubscriptionId = requestID(true), args[0]
		response, err := dialtonev1.NewSubscriptionServiceClient(a.connection).CancelSubscription(ctx, request)
		if err != nil {
			return err
		}
		stopping := response.GetWorkflow()
		err = a.answer(response, func(p *page) {
			p.subscription(response.GetSubscription())
			if stopping != nil {
				p.linef("")
				p.cancelled(stopping)
			}
		})
		if err == nil && stopping != nil {
			a.advise("see its end: dialtone workflow watch " + stopping.GetActivationId())
		}
		return err
	})
	return command
}

// subscription is one in full.
func (p *page) subscription(s *dialtonev1.Subscription) {
	p.facts(
		fact{name: "Subscription", value: s.GetSubscriptionId()},
		fact{name: "Status", value: word(s.GetStatus()), tone: subscriptionTone(s.GetStatus())},
		fact{name: "Account", value: s.GetAccountId()},
		fact{name: "Customer", value: join(", ", s.GetCustomerName(), s.GetCustomerEmail())},
		fact{name: "Plan", value: join(", ", s.GetPlan(), word(s.GetPlanKind()))},
		fact{name: "Number", value: s.GetPhoneNumber()},
		fact{name: "Activation", value: s.GetActivationId()},
		fact{name: "Created", value: p.when(s.GetCreateTime())},
		fact{name: "Live", value: p.when(s.GetActivateTime())},
		fact{name: "Cancelled", value: p.when(s.GetCancelTime())},
	)
}

func (p *page) subscriptions(all []*dialtonev1.Subscription) {
	if len(all) == 0 {
		p.linef("No subscriptions.")
		return
	}
	rows := []row{heading("SUBSCRIPTION", "STATUS", "ACCOUNT", "PLAN", "NUMBER", "CREATED", "ACTIVATION")}
	for _, s := range all {
		rows = append(rows, row{cells: []cell{
			{text: s.GetSubscriptionId()},
			{text: word(s.GetStatus()), tone: subscriptionTone(s.GetStatus())},
			{text: s.GetAccountId()},
			{text: s.GetPlan()},
			{text: s.GetPhoneNumber()},
			{text: exact(s.GetCreateTime())},
			{text: s.GetActivationId()},
		}})
	}
	p.table("", rows)
}

func subscriptionTone(status dialtonev1.SubscriptionStatus) tone {
	switch status {
	case dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_ACTIVE:
		return green
	case dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_PENDING:
		return yellow
	default:
		return dim
	}
}
