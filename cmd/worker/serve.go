package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// adminPatience is what answers of the admin listener have to end in.
const adminPatience = 2 * time.Second

// serve does the work beside the admin listener, until ctx ends or one of them cannot go on.
// The admin listener ends last: until then it says that the process is not ready.
func serve(ctx context.Context, admin *http.Server, work func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := admin.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the admin listener: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		err := work(ctx)
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminPatience)
		defer cancel()
		return errors.Join(err, admin.Shutdown(ending))
	})
	return group.Wait()
}
