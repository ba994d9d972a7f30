package access

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestViewsAreSharedAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &served{}
		v := newViews(canaries{"a"}, s.serve)
		counts := func(when string, made, ended int) {
			t.Helper()
			if m, e := s.counted(); m != made || e != ended {
				t.Errorf("%s: %d were made and %d ended, not %d and %d", when, m, e, made, ended)
			}
		}
		use := func(sight Sight) func() {
			t.Helper()
			_, done, err := v.of(sight)
			if err != nil {
				t.Fatal(err)
			}
			return done
		}
		one, two := use(Sight{Namespaces: []string{"a", "b"}}), use(Sight{Namespaces: []string{"a", "b"}})
		counts("two who see the same", 1, 0)
		use(Sight{All: true})()
		use(Sight{Namespaces: []string{"a"}})()
		counts("others", 3, 0)
		one()
		time.Sleep(idleTime)
		synctest.Wait()
		counts("nobody looks at two of them", 3, 2)
		two()
		time.Sleep(idleTime / 2)
		use(Sight{Namespaces: []string{"a", "b"}})()
		time.Sleep(idleTime / 2)
		synctest.Wait()
		counts("somebody has looked again", 3, 2)
		time.Sleep(idleTime / 2)
		synctest.Wait()
		counts("nobody looks", 3, 3)
	})
}

func TestViewsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &served{}
		v := newViews(canaries{"a"}, s.serve)
		var leave []func()
		for i := range maxViews {
			_, done, err := v.of(Sight{Namespaces: []string{fmt.Sprint(i)}})
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, done)
		}
		more := Sight{Namespaces: []string{"more"}}
		if _, _, err := v.of(more); !errors.Is(err, errTooMany) {
			t.Errorf("one more than may be: %v", err)
		}
		if _, done, err := v.of(Sight{All: true}); err != nil {
			t.Errorf("who may see all is kept out by the others: %v", err)
		} else {
			defer done()
		}
		leave[7]()
		time.Sleep(time.Second)
		leave[3]()
		if _, _, err := v.of(more); err != nil {
			t.Errorf("one is not used any more: %v", err)
		}
		if v.all["7"] != nil || v.all["3"] == nil {
			t.Error("another one went than what was used least lately")
		}
		v.close()
		if made, ended := s.counted(); made != ended || len(v.all) > 0 {
			t.Errorf("of %d, %d are ended", made, ended)
		}
	})
}
