package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portLinkCommand() *cobra.Command {
	request := &dialtonev1.CreatePortalLinkRequest{}
	var expires instant
	command := &cobra.Command{
		Use:   "link ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Make a link to the portal for the customer; it is shown this once",
		Long: `Make a link to the portal, for a customer whose e-mail did not arrive or whose link has
lapsed. Whoever has the link acts as the customer, and sees the eSIM's code once there is
one: make sure who asks, and hand it to nobody else. It is shown this once: repeating the
request does not show it again.

` + lookupHelp,
		Example: `  dialtone port link sub-1001 --reason "the e-mail did not arrive; called back on the number in the account"
  dialtone port link sub-1001 --reason "in the shop, passport seen" --expires 2026-03-05 --output json | jq -r .url`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
	}
	command.Flags().Var(&expires, "expires", "when it lapses: a time, or a date, whose first moment in UTC is meant; at most 30 days from now (default in 7 days)")
	addReason(command, &request.Reason, "why, in your own words, for the audit")
	addRevision(command, &request.Revision)
	requestID := a.newRequest(command)
	command.RunE = a.act(operators, func(ctx context.Context, args []string) error {
		a.fields = map[string]string{
			"reason": "--reason", "revision": "--revision", "request_id": "--request-id", "expire_time": "--expires",
		}
		found, err := a.getWorkflow(ctx, newLookup(args[0]))
		if err != nil {
			return err
		}
		request.RequestId, request.ActivationId = requestID(true), found.GetWorkflow().GetActivationId()
		request.ExpireTime = expires.at
		response, err := dialtonev1.NewPortalServiceClient(a.connection).CreatePortalLink(ctx, request)
		if err != nil {
			return err
		}
		if err := a.answer(response, func(p *page) { p.link(request.GetActivationId(), response) }); err != nil {
			return err
		}
		a.sayAboutLink(request.GetActivationId(), response)
		return nil
	})
	return command
}

// link shows the address, where there is one to show.
func (p *page) link(id string, response *dialtonev1.CreatePortalLinkResponse) {
	p.facts(
		fact{name: "Link", value: response.GetUrl(), tone: bold},
		fact{name: "Lapses", value: p.due(response.GetExpireTime())},
		fact{name: "Activation", value: id},
	)
}

// sayAboutLink tells what a person has to know about it. It does not hold the link.
func (a *app) sayAboutLink(id string, response *dialtonev1.CreatePortalLinkResponse) {
	if response.GetUrl() == "" {
		a.say("this request was accepted before, and the link is shown only once; if it is lost:")
		a.sayNext([]string{"make another, with a new --request-id: dialtone port link " + clean(id) + " --reason WHY"})
		return
	}
	a.say("the link is not shown again, and is a key: hand it to the customer only")
}
