// Package answers reads what API servers answer, whole or event by event, and leaves it undecoded: client-go's own reader goes over each
// event of a watch several times, and makes maps of all of it.
package answers

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// ReadAll reads an answer to its end, and closes it.
func ReadAll(answer io.ReadCloser) (string, error) {
	defer answer.Close()
	return gather(func(text *bytes.Buffer) error {
		if _, err := text.ReadFrom(answer); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return nil
	})
}

// gather returns what read reads into a buffer, and its error. Buffers are used again: one that grows with what is read takes several times
// the size of that.
func gather(read func(*bytes.Buffer) error) (string, error) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buffer.Cap() <= maxBuffer {
			buffer.Reset()
			buffers.Put(buffer)
		}
	}()
	err := read(buffer)
	return buffer.String(), err
}

var buffers = sync.Pool{New: func() any { return &bytes.Buffer{} }}

// maxBuffer is up to which size a buffer is used again: that of a parent with the largest status.
const maxBuffer = 1 << 20
