package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/proto"
)

// newRequest adds --request-id to a command that changes something. The function that it
// gives is called just before the call; keep is false for a trial, which leaves nothing
// that could be repeated.
func (a *app) newRequest(command *cobra.Command) func(keep bool) string {
	given := command.Flags().String("request-id", "", "a UUID for this intent; give it again to repeat the call safely (made and shown if absent)")
	return func(keep bool) string {
		id := *given
		if id == "" {
			id = uuid.NewString()
			if keep {
				a.say("request id %s", id)
			}
		}
		if keep {
			a.requestID = id
		}
		return id
	}
}

// addReason adds the words that the audit keeps.
func addReason(command *cobra.Command, reason *string, usage string) {
	command.Flags().StringVar(reason, "reason", "", usage)
	require(command, "reason")
}

// require makes flags required.
func require(command *cobra.Command, names ...string) {
	for _, name := range names {
		// It fails only for a flag that does not exist; a test runs every command's help.
		_ = command.MarkFlagRequired(name)
	}
}

// pages is which part of a list is wanted.
type pages struct {
	size  int32
	token string
	all   bool
}

func (g *pages) add(flags *pflag.FlagSet) {
	flags.Int32Var(&g.size, "page-size", 0, "at most this many at once (default 50, at most 200)")
	flags.StringVar(&g.token, "page-token", "", "go on where a page ended, with the same filter")
	flags.BoolVar(&g.all, "all", false, "all pages, one after the other")
}

// turn calls page with the token of the first page, and with --all of every next one. The
// function prints its page and gives the token of the next.
func (a *app) turn(ctx context.Context, g pages, page func(context.Context, string) (string, error)) error {
	for token := g.token; ; {
		next, err := page(ctx, token)
		if err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		if !g.all {
			a.say("there is more: repeat the command with --page-token %s, or with --all", clean(next))
			return nil
		}
		token = next
	}
}

// answerPage prints one page of a list; with --all, JSON has one page a line.
func (a *app) answerPage(g pages, response proto.Message, text func(*page)) error {
	if a.json() {
		return a.printJSON(response, g.all)
	}
	return a.answer(response, text)
}
