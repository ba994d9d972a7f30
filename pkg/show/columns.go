package show

import (
	"fmt"
	"io"
	"strings"

	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/util/jsonpath"
)

// columns are those that a user asks for, as kubectl has them: HEADER:.path,HEADER:.path
type columns struct {
	headers []string
	paths   []*jsonpath.JSONPath
}

func parseColumns(spec string) (*columns, error) {
	c := &columns{}
	for _, part := range strings.Split(spec, ",") {
		header, path, ok := strings.Cut(part, ":")
		if !ok || header == "" || path == "" {
			return nil, fmt.Errorf("custom-columns: %q is not HEADER:PATH, such as AGENT:.agent", part)
		}
		if !strings.HasPrefix(path, "{") {
			path = "{." + strings.TrimPrefix(path, ".") + "}"
		}
		parsed := jsonpath.New(header).AllowMissingKeys(true)
		if err := parsed.Parse(path); err != nil {
			return nil, fmt.Errorf("custom-columns: %q: %w", part, err)
		}
		c.headers, c.paths = append(c.headers, header), append(c.paths, parsed)
	}
	return c, nil
}

func (c *columns) print(out io.Writer, objects []map[string]any, noHeaders bool) error {
	w := printers.GetNewTabWriter(out)
	if !noHeaders {
		fmt.Fprintln(w, strings.Join(c.headers, "\t"))
	}
	for _, object := range objects {
		cells := make([]string, len(c.paths))
		for i, path := range c.paths {
			found, err := path.FindResults(object)
			if err != nil {
				return err
			}
			var values []string
			for _, list := range found {
				for _, value := range list {
					values = append(values, fmt.Sprint(value.Interface()))
				}
			}
			if cells[i] = text(strings.Join(values, ",")); len(values) == 0 {
				cells[i] = "<none>"
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}
