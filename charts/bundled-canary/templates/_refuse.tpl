{{/*
What would make this Canary fanout's, or would be set twice, is refused with what to do instead.
*/}}
{{- define "bundled-canary.refuse" -}}
{{- if hasKey .Values.spec "agentSelector" }}
{{- fail "bundled-canary: spec.agentSelector asks fanout to copy a Canary into other clusters, and this one runs where the application runs. Take it out; what is to run everywhere is a Canary in the hub." }}
{{- end }}
{{- range $key := concat (keys .Values.labels) (keys .Values.annotations) }}
{{- if hasPrefix "fanout.flanksource.com/" $key }}
{{- fail (printf "bundled-canary: %s would make this Canary fanout's. Take it out of labels and annotations." $key) }}
{{- end }}
{{- end }}
{{- range $field, $value := dict "url" "url" "responseCodes" "responseCodes" "thresholdMillis" "maxResponseTime" "maxResponseTime" "maxResponseTime" "test" "test" }}
{{- if hasKey $.Values.check $field }}
{{- fail (printf "bundled-canary: check.%s has a value of its own: set %s." $field $value) }}
{{- end }}
{{- end }}
{{- if hasKey .Values.spec "schedule" }}
{{- fail "bundled-canary: spec.schedule has a value of its own: set schedule." }}
{{- end }}
{{- end }}
