package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanout/pkg/show"
)

// outputFlags say how a command prints.
type outputFlags struct {
	output    string
	noHeaders bool
	watch     bool
}

func (f *outputFlags) addTo(flags *pflag.FlagSet, watches bool) {
	flags.StringVarP(&f.output, "output", "o", "table", show.Formats+".")
	flags.BoolVar(&f.noHeaders, "no-headers", false, "Leave out the headers, and the parent above its agents.")
	if watches {
		flags.BoolVarP(&f.watch, "watch", "w", false, "Go on, and print again what changes.")
	}
}

// watchPause is the shortest time between two looks.
const watchPause = 500 * time.Millisecond

// print asks for what there is to show, prints it, and goes on to where that is wanted.
func (f *outputFlags) print(command *cobra.Command, ask *askFlags, look func(context.Context, *asked) (*show.View, error)) error {
	printer, err := show.NewPrinter(f.output, f.noHeaders)
	if err != nil {
		return &usageError{command: command.CommandPath(), err: err}
	}
	ctx, out, errOut := command.Context(), command.OutOrStdout(), command.ErrOrStderr()
	source, err := ask.open(ctx, errOut)
	if err != nil {
		return err
	}
	defer source.close()
	changed := source.Changed()
	view, err := look(ctx, source)
	if err != nil {
		return err
	}
	source.told()
	if len(view.Rows) == 0 && printer.Table && view.Above == nil && view.Text == nil {
		fmt.Fprintln(errOut, view.Empty)
	} else if f.watch && !printer.Table {
		err = printer.PrintRows(out, view, view.Rows, false)
	} else {
		err = printer.Print(out, view)
	}
	var changes show.Changes
	changes.Of(view)
	for later := len(view.Rows) > 0; f.watch && err == nil; {
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
		select {
		case <-time.After(watchPause):
		case <-ctx.Done():
			return nil
		}
		changed = source.Changed()
		view, err = look(ctx, source)
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		if rows := changes.Of(view); len(rows) > 0 {
			err = printer.PrintRows(out, view, rows, later)
			later = true
		}
	}
	return err
}
