package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) tokenCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "token",
		Short: "Keep the credentials of those who may call",
		Example: `  dialtone token list --tenant demo
  dialtone token create --principal operator --tenant demo --name "Ann Lee"`,
		RunE: a.group,
	}
	group.AddCommand(a.tokenCreateCommand(), a.tokenRevokeCommand(), a.tokenListCommand())
	return group
}

func (a *app) tokenCreateCommand() *cobra.Command {
	request := &dialtonev1.CreateTokenRequest{}
	var principal words[dialtonev1.Principal]
	var expires instant
	command := &cobra.Command{
		Use:   "create",
		Short: "Make a credential; its secret is shown this once",
		Long: `Make a credential. Its secret is shown this once: repeating the request does not show it
again. Whoever lost it revokes the token and makes another.`,
		Example: `  dialtone token create --principal operator --tenant demo --name "Ann Lee"
  dialtone token create --principal billing --tenant demo --name billing-prod \
      --expires 2027-01-31 --output json | jq -r .secret`,
		Args: arguments(),
	}
	flags := command.Flags()
	principal.add(command, "principal", "what it stands for (customers' links, portal, are not made here)")
	flags.StringVar(&request.TenantId, "tenant", "", "whose it is; required for all but admin")
	flags.StringVar(&request.Name, "name", "", "who or what will hold it: the actor in the audit")
	flags.Var(&expires, "expires", "when it stops working: a time, or a date, whose first moment in UTC is meant (default never)")
	require(command, "principal", "name")
	requestID := a.newRequest(command)
	command.RunE = a.act(admin, func(ctx context.Context, _ []string) error {
		a.fields = map[string]string{
			"principal": "--principal", "tenant_id": "--tenant", "name": "--name",
			"expire_time": "--expires", "request_id": "--request-id",
		}
		request.RequestId, request.Principal, request.ExpireTime = requestID(true), principal.value(), expires.at
		response, err := dialtonev1.NewAdminServiceClient(a.connection).CreateToken(ctx, request)
		if err != nil {
			return err
		}
		if err := a.answer(response, func(p *page) { p.token(response.GetToken(), response.GetSecret()) }); err != nil {
			return err
		}
		a.sayAboutSecret(response)
		return nil
	})
	return command
}

// sayAboutSecret tells what a person has to know about a secret. It does not hold it.
func (a *app) sayAboutSecret(response *dialtonev1.CreateTokenResponse) {
	if response.GetSecret() == "" {
		a.say("this request was accepted before, and the secret is shown only once; if it is lost:")
		a.sayNext([]string{
			"dialtone token revoke " + clean(response.GetToken().GetTokenId()) + ` --reason "secret lost"`,
			"then make another, with a new --request-id",
		})
		return
	}
	a.say("the secret is not shown again: keep it now, and give it to dialtone as DIALTONE_TOKEN")
}

func (a *app) tokenRevokeCommand() *cobra.Command {
	request := &dialtonev1.RevokeTokenRequest{}
	command := &cobra.Command{
		Use:   "revoke TOKEN",
		Short: "End a credential; calls with it are refused within 10 s",
		Example: `  dialtone token list --tenant demo
  dialtone token revoke 6f1c2b9e-5d0a-4b63-9a58-1f7c1d3e2a4b --reason "laptop stolen"`,
		Args: arguments("a token's id, which token list tells"),
	}
	addReason(command, &request.Reason, "why, in your own words, for the audit")
	requestID := a.newRequest(command)
	command.RunE = a.act(admin, func(ctx context.Context, args []string) error {
		a.fields = map[string]string{"token_id": "TOKEN", "reason": "--reason", "request_id": "--request-id"}
		request.RequestId, request.TokenId = requestID(true), args[0]
		response, err := dialtonev1.NewAdminServiceClient(a.connection).RevokeToken(ctx, request)
		if err != nil {
			return err
		}
		return a.answer(response, func(p *page) { p.token(response.GetToken(), "") })
	})
	return command
}

func (a *app) tokenListCommand() *cobra.Command {
	var tenant string
	var ended bool
	var g pages
	command := &cobra.Command{
		Use:   "list",
		Short: "List credentials, newest first, without their secrets",
		Example: `  dialtone token list --tenant demo
  dialtone token list --include-ended --all`,
		Args: arguments(),
	}
	command.Flags().StringVar(&tenant, "tenant", "", "only this tenant's (default admin's and those of all tenants)")
	command.Flags().BoolVar(&ended, "include-ended", false, "also those revoked or expired")
	g.add(command.Flags())
	command.RunE = a.act(admin, func(ctx context.Context, _ []string) error {
		a.fields = map[string]string{"page_size": "--page-size", "page_token": "--page-token", "tenant_id": "--tenant"}
		client := dialtonev1.NewAdminServiceClient(a.connection)
		return a.turn(ctx, g, func(ctx context.Context, token string) (string, error) {
			response, err := client.ListTokens(ctx, &dialtonev1.ListTokensRequest{
				TenantId:     tenant,
				PageSize:     g.size,
				PageToken:    token,
				IncludeEnded: ended,
			})
			if err != nil {
				return "", err
			}
			return response.GetNextPageToken(), a.answerPage(g, response, func(p *page) { p.tokens(response.GetTokens()) })
		})
	})
	return command
}

// token shows a credential, and its secret where there is one to show.
func (p *page) token(t *dialtonev1.Token, secret string) {
	p.facts(
		fact{name: "Token", value: t.GetTokenId()},
		fact{name: "Stands for", value: join(" of tenant ", code(t.GetPrincipal()), t.GetTenantId())},
		fact{name: "Name", value: t.GetName()},
		fact{name: "Created", value: p.when(t.GetCreateTime())},
		fact{name: "Last used", value: p.lastUse(t)},
		fact{name: "Expires", value: p.expiry(t)},
		fact{name: "Revoked", value: p.when(t.GetRevokeTime()), tone: red},
		fact{name: "Secret", value: secret, tone: bold},
	)
}

func (p *page) expiry(t *dialtonev1.Token) string {
	if t.GetExpireTime() == nil {
		return "never"
	}
	return p.when(t.GetExpireTime())
}

// lastUse is as exact as what is kept: to the hour.
func (p *page) lastUse(t *dialtonev1.Token) string {
	switch {
	case t.GetLastUseTime() == nil:
		return "never"
	case p.now.Sub(t.GetLastUseTime().AsTime()) < time.Hour:
		return "within the hour"
	}
	return p.age(t.GetLastUseTime()) + " ago"
}

func (p *page) tokens(all []*dialtonev1.Token) {
	if len(all) == 0 {
		p.linef("No tokens.")
		return
	}
	rows := []row{heading("TOKEN", "STANDS FOR", "TENANT", "NAME", "LAST USED", "STATE")}
	for _, t := range all {
		state := cell{text: "works"}
		switch {
		case t.GetRevokeTime() != nil:
			state = cell{text: "revoked " + p.age(t.GetRevokeTime()) + " ago", tone: dim}
		case p.overdue(t.GetExpireTime()):
			state = cell{text: "expired " + p.age(t.GetExpireTime()) + " ago", tone: dim}
		case t.GetExpireTime() != nil:
			state.text = "expires " + p.dueShort(t.GetExpireTime())
		}
		rows = append(rows, row{cells: append(cells(t.GetTokenId(), code(t.GetPrincipal()), t.GetTenantId(), t.GetName(), p.lastUse(t)), state)})
	}
	p.table("", rows)
}
