package answers

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/tidwall/gjson"
	"k8s.io/apimachinery/pkg/watch"
)

// Events are what a watch brings: one on a line.
type Events struct{ lines *bufio.Reader }

// NewEvents returns the events of a watch, which are read through a buffer of that size in bytes.
func NewEvents(answer io.Reader, size int) *Events {
	return &Events{bufio.NewReaderSize(answer, size)}
}

// Next returns the next event's type, and its object's JSON, which need not be valid. The error is io.EOF where the server ended the watch,
// and io.ErrUnexpectedEOF where that was within a line.
func (e *Events) Next() (kind watch.EventType, object string, err error) {
	line, err := e.line()
	if err != nil {
		return "", "", err
	}
	gjson.Parse(line).ForEach(func(field, value gjson.Result) bool {
		switch field.Str {
		case "type":
			kind = watch.EventType(value.Str)
		case "object":
			object = value.Raw
		}
		return true
	})
	return kind, object, nil
}

// line returns the next line that holds something.
func (e *Events) line() (string, error) {
	for {
		part, err := e.lines.ReadSlice('\n') // without a buffer: this is where a watch waits
		line, err := gather(func(line *bytes.Buffer) error {
			for ; err == bufio.ErrBufferFull; part, err = e.lines.ReadSlice('\n') {
				line.Write(part)
			}
			line.Write(part)
			return err
		})
		switch blank := strings.TrimSpace(line) == ""; {
		case err == io.EOF && !blank:
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		case !blank:
			return line, nil
		}
	}
}
