# Who looks around: the account, the organisation, what is installed, whom it may write to.

locals {
  rules = {
    "account-looked-at" = {
      description   = "Somebody looked at the account, its contacts or its organisation: the first thing that the holder of a found key does."
      severity      = "low"
      read_only     = true
      event_names   = ["DescribeAccount", "DescribeOrganization", "GetAlternateContact", "GetContactInformation", "ListAccounts", "ListDelegatedAdministrators"]
      event_sources = ["account.amazonaws.com", "billingconsole.amazonaws.com", "organizations.amazonaws.com"]
      title         = "{{ actor }} looked at the account: {{ event_name }}"
      tests = [
        {
          name   = "its contacts"
          expect = true
          event = jsonencode({
            eventSource = "account.amazonaws.com", eventName = "GetContactInformation", readOnly = true, userIdentity = { type = "IAMUser", userName = "ci" }
          })
        },
        {
          name   = "its regions"
          expect = false
          event = jsonencode({
            eventSource = "account.amazonaws.com", eventName = "ListRegions", readOnly = true, userIdentity = { type = "IAMUser", userName = "ci" }
          })
        },
      ]
    }

    "defences-looked-at" = {
      description = "Somebody looked at what is installed and what guards it: security groups, standards, documents, log filters."
      severity    = "info"
      read_only   = true
      frequent    = true
      event_names = [
        "DescribeInstanceInformation", "DescribeProducts", "DescribeSecurityGroupReferences", "DescribeSecurityGroupRules", "DescribeSecurityGroups",
        "DescribeStandards", "DescribeStandardsControls", "DescribeSubscriptionFilters", "ListDocuments", "ListMembers",
      ]
      title = "{{ actor }} looked around: {{ event_name }}"
      tests = [
        {
          name   = "log filters"
          expect = true
          event = jsonencode({
            eventSource = "logs.amazonaws.com", eventName = "DescribeSubscriptionFilters", readOnly = true, userIdentity = { type = "IAMUser", userName = "ci" }
          })
        },
        {
          name   = "log groups"
          expect = false
          event = jsonencode({
            eventSource = "logs.amazonaws.com", eventName = "DescribeLogGroups", readOnly = true, userIdentity = { type = "IAMUser", userName = "ci" }
          })
        },
      ]
    }

    "mail-identities-looked-at" = {
      description   = "Somebody looked up from which addresses the account may send mail: what a spammer wants to know of a found key."
      severity      = "medium"
      read_only     = true
      event_names   = ["GetIdentityVerificationAttributes"]
      event_sources = ["ses.amazonaws.com"]
      match         = "!(detail.userIdentity.invokedBy)"
      title         = "{{ actor }} looked up which addresses may send mail"
      fields        = { "Identities" = "detail.requestParameters.identities" }
      tests = [
        {
          name   = "an address is looked up"
          expect = true
          event = jsonencode({
            eventSource  = "ses.amazonaws.com", eventName = "GetIdentityVerificationAttributes", readOnly = true
            userIdentity = { type = "IAMUser", userName = "ci" }, requestParameters = { identities = ["example.com"] }
          })
        },
        {
          name   = "a service does so"
          expect = false
          event = jsonencode({
            eventSource  = "ses.amazonaws.com", eventName = "GetIdentityVerificationAttributes", readOnly = true
            userIdentity = { type = "AWSService", invokedBy = "cognito-idp.amazonaws.com" }, requestParameters = { identities = ["example.com"] }
          })
        },
      ]
    }
  }
}
