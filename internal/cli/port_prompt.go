package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portPromptCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "prompt ACTIVATION",
		Short: "What the customer is asked now, in words to read out",
		Long: `What the customer is asked now about the number, in words to read out: why, what is to be
given and where it is found, until when, and what else the customer may do, as command lines
to paste. Each of those names the question that was read; if another is asked by then, nothing
happens, and it says so.

` + onePortHelp,
		Example: `  dialtone port prompt 0199c2e4-7a1b-7c3d-8e4f-0123456789ab
  dialtone port prompt 0199c2e4-7a1b-7c3d-8e4f-0123456789ab --output json | jq -r .prompt.kind`,
		Args: oneActivation,
		RunE: a.act(portal, func(ctx context.Context, args []string) error {
			a.fields = map[string]string{"activation_id": "ACTIVATION"}
			response, err := dialtonev1.NewPortalServiceClient(a.connection).GetPortingPrompt(ctx,
				&dialtonev1.GetPortingPromptRequest{ActivationId: args[0]})
			if err != nil {
				return err
			}
			return a.answer(response, func(p *page) { p.prompt(args[0], response) })
		}),
	}
}
