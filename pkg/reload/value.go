// Package reload keeps what files hold, and reads them again when they change.
package reload

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

// Value is what some files together hold. All methods may be called at the same time.
type Value[T any] struct {
	logger klog.Logger
	paths  []string
	parse  func(files [][]byte) (T, error)

	mu     sync.Mutex
	looked time.Time
	files  [][]byte // as they were when they were last looked at
	value  T
}

// pause is how long the files are believed to be as they were. A kubelet brings a changed Secret a minute late, anyway.
const pause = 10 * time.Second

// Open reads the files, which parse makes a value of.
func Open[T any](logger klog.Logger, parse func(files [][]byte) (T, error), paths ...string) (*Value[T], error) {
	v := &Value[T]{logger: logger, paths: paths, parse: parse, looked: time.Now()}
	var err error
	if v.files, err = v.read(); err != nil {
		return nil, err
	}
	if v.value, err = parse(v.files); err != nil {
		return nil, fmt.Errorf("%v: %w", paths, err)
	}
	return v, nil
}

// Get returns what the files hold, or, while they can't be read or make no value, what they held before, which is logged.
func (v *Value[T]) Get() T {
	v.mu.Lock()
	defer v.mu.Unlock()
	if time.Since(v.looked) < pause {
		return v.value
	}
	v.looked = time.Now()
	files, err := v.read()
	if err == nil {
		if same(files, v.files) {
			return v.value
		}
		v.files = files // one that is faulty is told of once
		var value T
		if value, err = v.parse(files); err == nil {
			v.logger.Info("Read files that have changed", "files", v.paths)
			v.value = value
			return value
		}
	}
	v.logger.Error(err, "Files that have changed can't be used; what they held before still is", "files", v.paths)
	return v.value
}

func (v *Value[T]) read() ([][]byte, error) {
	files := make([][]byte, len(v.paths))
	for i, path := range v.paths {
		var err error
		if files[i], err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func same(a, b [][]byte) bool {
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
