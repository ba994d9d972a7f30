{{/* The release's name, with fanout in it. Longest suffix: -release; longest name of a Job: 63. */}}
{{- define "fanout.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" -}}
{{- else if contains "fanout" .Release.Name -}}
{{- .Release.Name | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-fanout" .Release.Name | trunc 54 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* By these 'fanout check' finds the Deployment, whatever the release is called. */}}
{{- define "fanout.instanceLabels" -}}
app.kubernetes.io/name: fanout
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "fanout.selectorLabels" -}}
{{ include "fanout.instanceLabels" . }}
app.kubernetes.io/component: controller
{{- end }}

{{/* Of commonLabels none counts that the chart sets itself. */}}
{{- define "fanout.labels" -}}
{{- $own := include "fanout.instanceLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_" | trunc 63) -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- toYaml (merge $own .Values.commonLabels) -}}
{{- end }}

{{- define "fanout.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "fanout.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end }}

{{- define "fanout.clusterNamespace" -}}
{{- .Values.clusterNamespace | default .Release.Namespace -}}
{{- end }}

{{/* Where the Secrets of the page are mounted. */}}
{{- define "fanout.pageFiles" -}}
/etc/fanout/page
{{- end }}

{{/* Whether those who come for the page are asked who they are; empty where nobody is. */}}
{{- define "fanout.pageAsks" -}}
{{- if or .Values.page.service.enabled .Values.page.proxy.userHeader -}}
true
{{- end -}}
{{- end }}

{{- define "fanout.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What is made for the Job after an uninstall alone, and goes when that has succeeded. */}}
{{- define "fanout.hookAnnotations" -}}
helm.sh/hook: post-delete
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
