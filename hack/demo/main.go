// Command demo runs the real fanout against real API servers and tells what it does before the reader's eyes: a hub, members,
// and one health check that follows its selector through them. Every step is timed, and compared with what it should bring
// about in every cluster; the first difference ends the demo with exit code 1.
//
// On a terminal, the clusters stay up at the end until Ctrl-C, unless STAY=0. However it ends, nothing is left running.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/klog/v2"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == guardCommand {
		os.Exit(guard(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the demo at once
	klog.LogToStderr(false)      // client-go's asides: what matters is in the errors that it returns
	klog.SetOutput(io.Discard)
	signal.Ignore(syscall.SIGPIPE) // whoever stops reading does not stop the cleaning up
	screen := newScreen(os.Stdout)
	if err := run(ctx, screen, screen.terminal && os.Getenv("STAY") != "0"); err != nil {
		screen.failure(err)
		os.Exit(1)
	}
}

// run is the demo from the empty directory to its removal.
func run(ctx context.Context, screen *screen, stay bool) (err error) {
	dir, err := os.MkdirTemp("", "fanout-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	stage := newStage(dir)
	defer func() {
		screen.progress("stopping fanout and the control planes")
		err = errors.Join(err, stage.close())
	}()
	if err = play(ctx, stage, screen); err == nil && stay {
		screen.invitation(stage)
		<-ctx.Done()
		return nil
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

// play opens the stage, tells the story on it, and sums up.
func play(ctx context.Context, stage *stage, screen *screen) error {
	if err := stage.open(ctx, screen); err != nil {
		return err
	}
	screen.bystander("Not fanout's, and there before it", stage.bystander)
	told, err := tell(ctx, stage, screen)
	if err != nil {
		return err
	}
	bystander, err := stage.readBystander(ctx)
	if err != nil {
		return err
	}
	if !sameButForChecker(stage.bystander, bystander) {
		return fmt.Errorf("what is not fanout's has changed: %w", differences{{bystanderCluster, describe(stage.bystander), describe(bystander)}})
	}
	screen.bystander("Still there, and untouched", bystander)
	writes, err := stage.checkWrites(ctx, told)
	if err != nil {
		return err
	}
	screen.summary(told, writes)
	return nil
}

// tell performs the story's steps one after the other.
func tell(ctx context.Context, stage *stage, screen *screen) ([]outcome, error) {
	var told []outcome
	for i, step := range story(stage) {
		screen.announce(i+1, step)
		took, err := stage.perform(ctx, step, screen.watch(ctx, stage, step))
		if err != nil {
			return nil, fmt.Errorf("step %d (%s): %w\n\nThe end of fanout's log:\n%s", i+1, step.title, err, stage.fanout.lastLines())
		}
		told = append(told, outcome{step: step, took: took})
		if step.says != nil {
			if err := screen.status(ctx, stage); err != nil {
				return nil, err
			}
		} else {
			screen.clusters(stage, step)
		}
		screen.took(step, took)
	}
	return told, nil
}

// outcome is a step that came out as it should.
type outcome struct {
	step step
	took times
}
